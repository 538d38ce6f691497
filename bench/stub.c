/* A libgfapi.so.0 whose functions return at once: what remains is the cost of a binding.
 *
 * Files are endless, and full of what was in the buffer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Define a function and give it a symbol version as its default. */
#define FUNCTION(version, result, name, ...)                                                       \
    result stub_##name(__VA_ARGS__);                                                               \
    __asm__(".symver stub_" #name ", " #name "@@GFAPI_" version);                                  \
    result stub_##name(__VA_ARGS__)

static char the_fs, the_fd;

FUNCTION("3.4.0", void *, glfs_new, const char *volname)
{
    return &the_fs;
}

FUNCTION("3.4.0", int, glfs_set_volfile_server, void *fs, const char *proto, const char *host, int port)
{
    return 0;
}

FUNCTION("3.4.0", int, glfs_set_xlator_option, void *fs, const char *xlator, const char *key,
         const char *value)
{
    return 0;
}

FUNCTION("3.4.0", int, glfs_set_logging, void *fs, const char *file, int level)
{
    return 0;
}

FUNCTION("3.4.0", int, glfs_init, void *fs)
{
    return 0;
}

FUNCTION("3.4.0", int, glfs_fini, void *fs)
{
    return 0;
}

FUNCTION("3.4.0", void *, glfs_open, void *fs, const char *path, int flags)
{
    if (!strncmp(path, "/.meta", 6)) {
        errno = ENOENT;
        return NULL;
    }
    return &the_fd;
}

FUNCTION("3.4.0", void *, glfs_creat, void *fs, const char *path, int flags, mode_t mode)
{
    return &the_fd;
}

FUNCTION("3.4.0", int, glfs_close, void *fd)
{
    return 0;
}

FUNCTION("3.4.0", ssize_t, glfs_read, void *fd, void *buffer, size_t count, int flags)
{
    return count;
}

FUNCTION("3.4.0", ssize_t, glfs_write, void *fd, const void *buffer, size_t count, int flags)
{
    return count;
}

FUNCTION("3.4.0", off_t, glfs_lseek, void *fd, off_t offset, int whence)
{
    return offset;
}

static int fill(struct stat *status)
{
    memset(status, 0, sizeof *status);
    status->st_mode = S_IFREG | 0644;
    status->st_nlink = 1;
    return 0;
}

FUNCTION("3.4.0", int, glfs_stat, void *fs, const char *path, struct stat *status)
{
    return fill(status);
}

FUNCTION("3.4.0", int, glfs_lstat, void *fs, const char *path, struct stat *status)
{
    return fill(status);
}

FUNCTION("3.4.0", int, glfs_fstat, void *fd, struct stat *status)
{
    return fill(status);
}

/* Those that a binding looks up when it is loaded, and that nothing here calls. */
#define OTHER(version, name)                                                                       \
    FUNCTION(version, int, name, void)                                                             \
    {                                                                                              \
        errno = ENOSYS;                                                                            \
        return -1;                                                                                 \
    }

OTHER("6.0", glfs_fsync)
OTHER("3.4.0", glfs_statvfs)
OTHER("3.4.0", glfs_chmod)
OTHER("3.4.0", glfs_fchmod)
OTHER("3.4.0", glfs_chown)
OTHER("3.4.0", glfs_lchown)
OTHER("3.4.0", glfs_fchown)
OTHER("3.4.0", glfs_dup)
OTHER("6.0", glfs_fdatasync)
OTHER("3.4.0", glfs_getxattr)
OTHER("3.4.0", glfs_listxattr)
OTHER("3.4.0", glfs_removexattr)
OTHER("3.4.0", glfs_setxattr)
OTHER("3.4.0", glfs_rename)
OTHER("3.4.0", glfs_link)
OTHER("3.4.0", glfs_symlink)
OTHER("3.4.0", glfs_unlink)
OTHER("3.4.0", glfs_readdir_r)
OTHER("3.4.0", glfs_readdirplus_r)
OTHER("3.4.0", glfs_closedir)
OTHER("3.4.0", glfs_mkdir)
OTHER("3.4.0", glfs_opendir)
OTHER("3.4.0", glfs_rmdir)
OTHER("3.4.2", glfs_setfsuid)
OTHER("3.4.2", glfs_setfsgid)
OTHER("6.0", glfs_ftruncate)
OTHER("3.4.0", glfs_fgetxattr)
OTHER("3.4.0", glfs_fremovexattr)
OTHER("3.4.0", glfs_fsetxattr)
OTHER("3.4.0", glfs_flistxattr)
OTHER("3.4.0", glfs_access)
OTHER("3.4.0", glfs_readlink)
OTHER("3.4.0", glfs_chdir)
OTHER("3.4.0", glfs_getcwd)
OTHER("3.5.0", glfs_fallocate)
OTHER("3.5.0", glfs_discard)
OTHER("3.5.0", glfs_zerofill)
OTHER("3.4.0", glfs_utimens)
OTHER("3.5.0", glfs_get_volumeid)
OTHER("3.4.0", glfs_mknod)
