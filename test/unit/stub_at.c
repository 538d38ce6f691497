/* The stub as GlusterFS 11 has it: with the calls below an open directory, and what they need.
 *
 * What is called "new..." is not there, "link..." is a symbolic link, "dir..." or "." a directory,
 * and all else a file.
 */
#include "stub.c"

#define LATEST(result, name, ...) FUNCTION(result, name, first, "@@GFAPI_11.0", __VA_ARGS__)

static char the_copies[8], the_directory;
static int copies;

static const char *directory_of(const void *pointer)
{
    static char names[8][8];
    int i = (const char *)pointer - the_copies;

    if (pointer == &the_directory)
        return "CWD";
    if (i < 0 || i >= 8)
        return name_of(pointer);
    snprintf(names[i], sizeof names[i], "COPY%d", i);
    return names[i];
}

static int fail(int code)
{
    errno = code;
    return -1;
}

FIRST(void *, glfs_dup, void *fd)
{
    note("glfs_dup %s", name_of(fd));
    return &the_copies[copies++ % 8];
}

LATEST(int, glfs_fstatat, void *fd, const char *path, struct stat *status, int flags)
{
    note("glfs_fstatat %s %s %#x", directory_of(fd), path, flags);
    memset(status, 0, sizeof *status);
    status->st_mode = S_IFREG | 0640;
    if (!strncmp(path, "link", 4) && flags & 0x100)
        status->st_mode = S_IFLNK | 0777;
    if (!strncmp(path, "dir", 3) || !strcmp(path, "."))
        status->st_mode = S_IFDIR | 0755;
    return strncmp(path, "new", 3) ? 0 : fail(ENOENT);
}

LATEST(void *, glfs_openat, void *fd, const char *path, int flags, mode_t mode)
{
    note("glfs_openat %s %s %#o %o", directory_of(fd), path, flags, mode);
    return &the_fd;
}

LATEST(int, glfs_faccessat, void *fd, const char *path, int mode, int flags)
{
    note("glfs_faccessat %s %s %d %#x", directory_of(fd), path, mode, flags);
    return strncmp(path, "new", 3) ? 0 : fail(ENOENT);
}

LATEST(int, glfs_fchmodat, void *fd, const char *path, mode_t mode, int flags)
{
    note("glfs_fchmodat %s %s %o %#x", directory_of(fd), path, mode, flags);
    return 0;
}

LATEST(int, glfs_fchownat, void *fd, const char *path, uid_t uid, gid_t gid, int flags)
{
    note("glfs_fchownat %s %s %u %u %#x", directory_of(fd), path, uid, gid, flags);
    return 0;
}

LATEST(int, glfs_mkdirat, void *fd, const char *path, mode_t mode)
{
    note("glfs_mkdirat %s %s %o", directory_of(fd), path, mode);
    return strcmp(path, "newest") ? 0 : fail(EACCES);
}

LATEST(int, glfs_mknodat, void *fd, const char *path, mode_t mode, dev_t device)
{
    note("glfs_mknodat %s %s %o %ju", directory_of(fd), path, mode, (uintmax_t)device);
    return 0;
}

LATEST(int, glfs_linkat, void *old_fd, const char *old, void *new_fd, const char *new, int flags)
{
    note("glfs_linkat %s %s %s %s %#x", directory_of(old_fd), old, directory_of(new_fd), new,
         flags);
    return 0;
}

LATEST(int, glfs_symlinkat, const char *target, void *fd, const char *path)
{
    note("glfs_symlinkat %s %s %s", target, directory_of(fd), path);
    return 0;
}

LATEST(int, glfs_readlinkat, void *fd, const char *path, char *buffer, size_t size)
{
    note("glfs_readlinkat %s %s %zu", directory_of(fd), path, size);
    memcpy(buffer, "target", 6);
    return 6;
}

LATEST(int, glfs_renameat, void *old_fd, const char *old, void *new_fd, const char *new)
{
    note("glfs_renameat %s %s %s %s", directory_of(old_fd), old, directory_of(new_fd), new);
    return 0;
}

LATEST(int, glfs_renameat2, void *old_fd, const char *old, void *new_fd, const char *new,
       int flags)
{
    note("glfs_renameat2 %s %s %s %s %d", directory_of(old_fd), old, directory_of(new_fd), new,
         flags);
    return 0;
}

LATEST(int, glfs_unlinkat, void *fd, const char *path, int flags)
{
    note("glfs_unlinkat %s %s %#x", directory_of(fd), path, flags);
    return 0;
}
