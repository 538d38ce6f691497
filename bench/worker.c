/* A contender in C: the operations of bench/groups, on libgfapi itself, as worker.py does them.
 *
 * worker GROUP HOST VOLUME SHARED OWN COUNT
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glusterfs/api/glfs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, MIB = 1 << 20, PATH = 4096 };

static glfs_t *fs;
static const char *shared, *own;
static long count;
static double figure; /* what an operation returns, if that is not its time */
static char *buffer;  /* of one MiB */

static void die(const char *what)
{
    printf("error %s: %s\n", what, strerror(errno));
    exit(1);
}

static void check(int is_right, const char *what)
{
    if (!is_right)
        die(what);
}

static const char *path(const char *folder, const char *format, ...)
{
    static char made[PATH];
    va_list arguments;
    int length = snprintf(made, sizeof made, "%s/", folder);

    va_start(arguments, format);
    vsnprintf(made + length, sizeof made - length, format, arguments);
    va_end(arguments);
    return made;
}

static glfs_fd_t *open_file(const char *name)
{
    glfs_fd_t *fd = glfs_open(fs, name, O_RDONLY);
    check(fd != NULL, "glfs_open");
    return fd;
}

static glfs_fd_t *create_file(const char *name)
{
    glfs_fd_t *fd = glfs_creat(fs, name, O_WRONLY | O_TRUNC, 0666);
    check(fd != NULL, "glfs_creat");
    return fd;
}

static void close_file(glfs_fd_t *fd)
{
    check(glfs_close(fd) == 0, "glfs_close");
}

static void write_all(glfs_fd_t *fd, size_t size)
{
    check(glfs_write(fd, buffer, size, 0) == (ssize_t)size, "glfs_write");
}

/* ------------------------------------------------------------------------------ small.py */

static void create(void)
{
    for (long i = 0; i < count; i++) {
        glfs_fd_t *fd = create_file(path(own, "%ld", i));
        write_all(fd, BLOCK);
        close_file(fd);
    }
}

static void stat_each(void)
{
    struct stat status;
    for (long i = 0; i < count; i++)
        check(glfs_stat(fs, path(own, "%ld", i), &status) == 0, "glfs_stat");
}

static void read_each(void)
{
    for (long i = 0; i < count; i++) {
        glfs_fd_t *fd = open_file(path(own, "%ld", i));
        check(glfs_read(fd, buffer, BLOCK, 0) == BLOCK, "glfs_read");
        close_file(fd);
    }
}

static glfs_fd_t *pread_fd;

static void before_pread(void)
{
    glfs_fd_t *fd = create_file(path(own, "pread"));

    if (pread_fd)
        close_file(pread_fd);
    for (long i = 0; i < count; i++)
        write_all(fd, BLOCK);
    close_file(fd);
    pread_fd = open_file(path(own, "pread"));
}

static void pread_each(void)
{
    for (long i = 0; i < count; i++)
        check(glfs_pread(pread_fd, buffer, BLOCK, i * BLOCK, 0, NULL) == BLOCK, "glfs_pread");
}

static void unlink_each(void)
{
    for (long i = 0; i < count; i++)
        check(glfs_unlink(fs, path(own, "%ld", i)) == 0, "glfs_unlink");
}

/* ------------------------------------------------------------------ stream.py and copy.py */

static void read_stream(void)
{
    glfs_fd_t *fd = open_file(path(shared, "big"));
    for (long i = 0; i < count; i++)
        check(glfs_read(fd, buffer, MIB, 0) == MIB, "glfs_read");
    close_file(fd);
}

static void before_write(void)
{
    check(glfs_unlink(fs, path(own, "written")) == 0 || errno == ENOENT, "glfs_unlink");
}

static void write_stream(void)
{
    glfs_fd_t *fd = create_file(path(own, "written"));
    for (long i = 0; i < count; i++)
        write_all(fd, MIB);
    close_file(fd);
}

/* As in copy.py. */
static void before_copyfile(void)
{
    const char *copy = path(own, "copy");

    check(glfs_truncate(fs, copy, 0) == 0 || errno == ENOENT, "glfs_truncate");
    check(glfs_unlink(fs, copy) == 0 || errno == ENOENT, "glfs_unlink");
    sync();
}

static void copyfile(void)
{
    glfs_fd_t *from = open_file(path(shared, "big"));
    glfs_fd_t *to = create_file(path(own, "copy"));
    ssize_t size;
    while ((size = glfs_read(from, buffer, MIB, 0)) > 0)
        write_all(to, size);
    check(size == 0, "glfs_read");
    close_file(from);
    close_file(to);
}

/* ---------------------------------------------------------------------------- listing.py */

static int is_dot(const struct dirent *entry)
{
    return !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
}

static void listdir(void)
{
    union { struct dirent entry; char space[512]; } room;
    struct dirent *entry;
    char **names = NULL;
    long found = 0, size = 0;
    glfs_fd_t *fd = glfs_opendir(fs, shared);
    check(fd != NULL, "glfs_opendir");
    for (;;) {
        check(glfs_readdir_r(fd, &room.entry, &entry) == 0, "glfs_readdir_r");
        if (entry == NULL)
            break;
        if (is_dot(entry))
            continue;
        if (found == size)
            names = realloc(names, (size = size ? 2 * size : 256) * sizeof *names);
        names[found++] = strdup(entry->d_name);
    }
    check(glfs_closedir(fd) == 0, "glfs_closedir");
    errno = 0;
    check(found == count, "listdir");
    while (found)
        free(names[--found]);
    free(names);
}

static void scandir_each(void)
{
    union { struct dirent entry; char space[512]; } room;
    struct dirent *entry;
    struct stat status;
    long found = 0;
    glfs_fd_t *fd = glfs_opendir(fs, shared);
    check(fd != NULL, "glfs_opendir");
    for (;;) {
        check(glfs_readdirplus_r(fd, &status, &room.entry, &entry) == 0, "glfs_readdirplus_r");
        if (entry == NULL)
            break;
        found += !is_dot(entry);
    }
    check(glfs_closedir(fd) == 0, "glfs_closedir");
    errno = 0;
    check(found == count, "scandir");
}

static long memory_of(const char *key)
{
    char line[256];
    long kilobytes = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key)))
            kilobytes = atol(line + strlen(key) + 1);
    fclose(file);
    return kilobytes * 1024;
}

static void memory(void)
{
    long before = memory_of("VmRSS");
    FILE *file = fopen("/proc/self/clear_refs", "w");
    fputs("5", file);
    fclose(file);
    scandir_each();
    figure = memory_of("VmHWM") - before;
}

/* ------------------------------------------------------------------------------- running */

static const struct {
    const char *group, *name;
    void (*before)(void), (*run)(void);
} operations[] = {
    {"small", "create", NULL, create},
    {"small", "stat", NULL, stat_each},
    {"small", "stat_cached", stat_each, stat_each},
    {"small", "read", NULL, read_each},
    {"small", "pread", before_pread, pread_each},
    {"small", "unlink", NULL, unlink_each},
    {"stream", "read", NULL, read_stream},
    {"stream", "readinto", NULL, read_stream},
    {"stream", "write", before_write, write_stream},
    {"copy", "copyfile_by_brick", before_copyfile, copyfile},
    {"copy", "copyfile", before_copyfile, copyfile},
    {"copy-spread", "copyfile", before_copyfile, copyfile},
    {"list", "listdir", NULL, listdir},
    {"list", "scandir", NULL, scandir_each},
    {"list", "memory", NULL, memory},
    {NULL, NULL, NULL, NULL},
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void do_operation(const char *group, const char *name)
{
    for (int i = 0; operations[i].group; i++)
        if (!strcmp(operations[i].group, group) && !strcmp(operations[i].name, name)) {
            double begin;
            figure = -1;
            if (operations[i].before)
                operations[i].before();
            begin = now();
            operations[i].run();
            printf("%.9f\n", figure < 0 ? now() - begin : figure);
            return;
        }
    printf("error no operation %s\n", name);
}

int main(int argc, char **argv)
{
    char line[256];

    if (argc != 7)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    shared = argv[4], own = argv[5], count = atol(argv[6]);
    buffer = malloc(MIB);
    memset(buffer, 'c', MIB);
    fs = glfs_new(argv[3]);
    check(fs && glfs_set_volfile_server(fs, "tcp", argv[2], 24007) == 0, "glfs_set_volfile_server");
    check(glfs_set_logging(fs, "/dev/null", 7) == 0, "glfs_set_logging");
    check(glfs_init(fs) == 0, "glfs_init");
    puts("ready");
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        do_operation(argv[1], line);
    }
    _exit(0); /* glfs_fini takes ten seconds, and is not measured here */
}
