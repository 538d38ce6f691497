/* What groups/script.py does in Python: mount, stat, unmount, exit.
 *
 * script HOST VOLUME
 */
#include <glusterfs/api/glfs.h>
#include <stdio.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
    struct stat status;
    glfs_t *fs = argc == 3 ? glfs_new(argv[2]) : NULL;

    if (!fs || glfs_set_volfile_server(fs, "tcp", argv[1], 24007) ||
        glfs_set_logging(fs, "/dev/null", 7) || glfs_init(fs) || glfs_stat(fs, "/", &status)) {
        perror("script");
        return 1;
    }
    glfs_fini(fs);
    return 0;
}
