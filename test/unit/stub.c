/* A libgfapi.so.0 that keeps a diary instead of a volume.
 *
 * Each function appends a line to the file that STUB_DIARY names: its symbol with the version, and
 * what it was given. A path "/errno/N" fails with that errno, "/errno/0" without setting any.
 * The signatures are written from glfs.h, not from the table under test.
 *
 * With -DOLD it is the library before GlusterFS 6, with -DNEW one after it in which glfs_fsync has
 * grown once more. -DEXCESS=2 has glfs_read write two bytes too many.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

/* Define a function and give it a symbol version; "@@" marks the default. */
#define FUNCTION(result, name, tag, version, ...)                                                  \
    result stub_##name##_##tag(__VA_ARGS__);                                                       \
    __asm__(".symver stub_" #name "_" #tag ", " #name version);                                    \
    result stub_##name##_##tag(__VA_ARGS__)
#define FIRST(result, name, ...) FUNCTION(result, name, first, "@@GFAPI_3.4.0", __VA_ARGS__)

#ifndef EXCESS
#define EXCESS 0
#endif

static char the_fs, the_fd, an_empty_fd; /* the latter is of a file of the client's own */
static int entries_read, value_length = 3;

static void note(const char *format, ...)
{
    int saved = errno;
    va_list arguments;
    FILE *diary = fopen(getenv("STUB_DIARY"), "a");

    va_start(arguments, format);
    vfprintf(diary, format, arguments);
    va_end(arguments);
    fputc('\n', diary);
    fclose(diary);
    errno = saved;
}

static const char *name_of(const void *pointer)
{
    return !pointer ? "NULL" : pointer == &the_fs ? "FS" : pointer == &the_fd ? "FD" : "address";
}

static int outcome(const char *path)
{
    if (strncmp(path, "/errno/", 7))
        return 0;
    if (atoi(path + 7))
        errno = atoi(path + 7);
    return -1;
}

FIRST(void *, glfs_new, const char *volname)
{
    note("glfs_new %s", volname);
    return &the_fs;
}

FIRST(int, glfs_set_volfile_server, void *fs, const char *transport, const char *host, int port)
{
    note("glfs_set_volfile_server %s %s %s %d", name_of(fs), transport, host, port);
    return 0;
}

/* Not noted: each mount sets one of its own. */
FIRST(int, glfs_set_xlator_option, void *fs, const char *xlator, const char *key, const char *value)
{
    return 0;
}

FIRST(int, glfs_set_logging, void *fs, const char *file, int level)
{
    note("glfs_set_logging %s %s %d", name_of(fs), file ? file : "NULL", level);
    return 0;
}

FIRST(int, glfs_init, void *fs)
{
    note("glfs_init %s", name_of(fs));
    return 0;
}

FIRST(int, glfs_fini, void *fs)
{
    note("glfs_fini %s", name_of(fs));
    return 0;
}

FIRST(void *, glfs_open, void *fs, const char *path, int flags)
{
    if (!strcmp(path, "/.meta/frames")) {
        errno = ENOENT;
        return NULL;
    }
    if (!strncmp(path, "/.meta/graphs/", 14))
        return &an_empty_fd;
    note("glfs_open %s %s %d", name_of(fs), path, flags);
    return outcome(path) ? NULL : &the_fd;
}

FIRST(void *, glfs_creat, void *fs, const char *path, int flags, mode_t mode)
{
    note("glfs_creat %s %s %d %o", name_of(fs), path, flags, mode);
    return outcome(path) ? NULL : &the_fd;
}

FIRST(int, glfs_readlink, void *fs, const char *path, char *target, size_t size)
{
    return 0;
}

FIRST(int, glfs_close, void *fd)
{
    if (fd == &an_empty_fd)
        return 0;
    note("glfs_close %s", name_of(fd));
    return 0;
}

FIRST(ssize_t, glfs_read, void *fd, void *buffer, size_t count, int flags)
{
    if (fd == &an_empty_fd)
        return 0;
    note("glfs_read %s %zu %d", name_of(fd), count, flags);
    memset(buffer, 'r', count + EXCESS);
    return count;
}

/* Writes at most ten bytes at a time. */
FIRST(ssize_t, glfs_write, void *fd, const void *buffer, size_t count, int flags)
{
    int length = count < 10 ? count : 10;

    note("glfs_write %s %.*s %zu %d", name_of(fd), length, (const char *)buffer, count, flags);
    return length;
}

FIRST(off_t, glfs_lseek, void *fd, off_t offset, int whence)
{
    note("glfs_lseek %s %jd %d", name_of(fd), (intmax_t)offset, whence);
    if (offset < 0 && whence == SEEK_SET) {
        errno = EINVAL;
        return -1;
    }
    return offset < 0 ? 0 : offset;
}

FIRST(int, glfs_lstat, void *fs, const char *path, struct stat *status)
{
    memset(status, 0, sizeof *status);
    status->st_ino = 1;
    return 0;
}

FIRST(int, glfs_stat, void *fs, const char *path, struct stat *status)
{
    note("glfs_stat %s %s", name_of(fs), path);
    memset(status, 0xff, sizeof *status);
    status->st_ino = UINT64_C(0xfedcba9876543210);
    status->st_mode = S_IFREG | 0640;
    status->st_nlink = 3;
    status->st_uid = 4000000000u;
    status->st_gid = 7;
    status->st_size = INT64_C(9) << 40;
    status->st_blksize = 4096;
    status->st_blocks = INT64_C(5) << 33;
    status->st_atim.tv_sec = 1, status->st_atim.tv_nsec = 11;
    status->st_mtim.tv_sec = -2, status->st_mtim.tv_nsec = 22;
    status->st_ctim.tv_sec = INT64_C(3) << 33, status->st_ctim.tv_nsec = 33;
    return outcome(path);
}

/* Not noted: each file that is made is asked for its type. */
FIRST(int, glfs_fstat, void *fd, struct stat *status)
{
    memset(status, 0, sizeof *status);
    status->st_mode = S_IFREG | 0640;
    return 0;
}

FIRST(int, glfs_chmod, void *fs, const char *path, mode_t mode)
{
    note("glfs_chmod %s %s %o", name_of(fs), path, mode);
    return outcome(path);
}

FIRST(int, glfs_chown, void *fs, const char *path, uid_t uid, gid_t gid)
{
    note("glfs_chown %s %s %u %u", name_of(fs), path, uid, gid);
    return outcome(path);
}

FIRST(int, glfs_utimens, void *fs, const char *path, const struct timespec times[2])
{
    if (times)
        note("glfs_utimens %s %s %jd.%09ld %jd.%09ld", name_of(fs), path,
             (intmax_t)times[0].tv_sec, times[0].tv_nsec,
             (intmax_t)times[1].tv_sec, times[1].tv_nsec);
    else
        note("glfs_utimens %s %s NULL", name_of(fs), path);
    return outcome(path);
}

FIRST(int, glfs_mknod, void *fs, const char *path, mode_t mode, dev_t device)
{
    note("glfs_mknod %s %s %o %ju", name_of(fs), path, mode, (uintmax_t)device);
    return outcome(path);
}

FIRST(int, glfs_rename, void *fs, const char *from, const char *to)
{
    note("glfs_rename %s %s %s", name_of(fs), from, to);
    return outcome(from);
}

FIRST(char *, glfs_getcwd, void *fs, char *buffer, size_t size)
{
    note("glfs_getcwd %s %zu", name_of(fs), size);
    errno = ERANGE;
    return NULL;
}

FIRST(void *, glfs_opendir, void *fs, const char *path)
{
    note("glfs_opendir %s %s", name_of(fs), path);
    entries_read = 0;
    return outcome(path) ? NULL : &the_fd;
}

FIRST(int, glfs_closedir, void *fd)
{
    note("glfs_closedir %s", name_of(fd));
    return 0;
}

FIRST(int, glfs_readdir_r, void *fd, struct dirent *entry, struct dirent **result)
{
    static const char *const names[] = {".", "..", "plain", "not \xff utf-8"};

    if (entries_read == 4) {
        *result = NULL;
        return 0;
    }
    memset(entry, 0xff, sizeof *entry);
    entry->d_ino = entries_read;
    strcpy(entry->d_name, names[entries_read++]);
    *result = entry;
    return 0;
}

/* The value grows each time that somebody asks for its size, for two times. */
FIRST(ssize_t, glfs_getxattr, void *fs, const char *path, const char *name, void *value, size_t size)
{
    int length = value_length;

    note("glfs_getxattr %s %s %s %s %zu", name_of(fs), path, name, name_of(value), size);
    if (!size) {
        value_length += value_length < 5;
        return length;
    }
    if (size < (size_t)length) {
        errno = ERANGE;
        return -1;
    }
    memcpy(value, "\0\xff\0ab", length);
    return length;
}

FIRST(int, glfs_setxattr, void *fs, const char *path, const char *name, const void *value,
      size_t size, int flags)
{
    note("glfs_setxattr %s %s %s %s %zu %d", name_of(fs), path, name, name_of(value), size, flags);
    return 0;
}

FUNCTION(int, glfs_discard, first, "@@GFAPI_3.5.0", void *fd, off_t offset, size_t length)
{
    note("glfs_discard %s %jd %zu", name_of(fd), (intmax_t)offset, length);
    return 0;
}

FUNCTION(int, glfs_zerofill, first, "@@GFAPI_3.5.0", void *fd, off_t offset, off_t length)
{
    note("glfs_zerofill %s %jd %jd", name_of(fd), (intmax_t)offset, (intmax_t)length);
    return 0;
}

FUNCTION(int, glfs_fallocate, first, "@@GFAPI_3.5.0", void *fd, int keep_size, off_t offset,
         size_t length)
{
    note("glfs_fallocate %s %d %jd %zu", name_of(fd), keep_size, (intmax_t)offset, length);
    return 0;
}

#ifdef OLD
FIRST(int, glfs_fsync, void *fd)
{
    note("glfs_fsync@GFAPI_3.4.0 %s", name_of(fd));
    return 0;
}
#else
FUNCTION(int, glfs_fsync, first, "@GFAPI_3.4.0", void *fd)
{
    note("glfs_fsync@GFAPI_3.4.0 %s", name_of(fd));
    return 0;
}

#ifdef NEW
#define GLUSTERFS_6 "@GFAPI_6.0"
#else
#define GLUSTERFS_6 "@@GFAPI_6.0"
#endif

FUNCTION(int, glfs_fsync, second, GLUSTERFS_6, void *fd, struct stat *before, struct stat *after)
{
    note("glfs_fsync@GFAPI_6.0 %s %s %s", name_of(fd), name_of(before), name_of(after));
    return 0;
}

FUNCTION(int, glfs_ftruncate, second, GLUSTERFS_6, void *fd, off_t length, struct stat *before,
         struct stat *after)
{
    note("glfs_ftruncate@GFAPI_6.0 %s %jd %s %s", name_of(fd), (intmax_t)length, name_of(before),
         name_of(after));
    return 0;
}
#endif

#ifdef NEW
FUNCTION(int, glfs_fsync, third, "@@GFAPI_99.0", void *fd, int flags, void *before, void *after,
         void *cookie)
{
    note("glfs_fsync@GFAPI_99.0");
    return 0;
}

FUNCTION(int, glfs_ftruncate, third, "@@GFAPI_99.0", void *fd, off_t length, void *cookie)
{
    note("glfs_ftruncate@GFAPI_99.0");
    return 0;
}

/* The only version is one that nobody knows yet. */
FUNCTION(int, glfs_statvfs, third, "@@GFAPI_99.0", void *fs, const char *path, void *cookie)
{
    note("glfs_statvfs@GFAPI_99.0");
    return 0;
}
#endif
