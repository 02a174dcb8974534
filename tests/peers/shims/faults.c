/* Preloaded into the daemon: files below FAULTS_UNDER cannot be written ("full") or synced ("sync") while the file
 * FAULTS_CONTROL exists and starts with that letter.
 *
 *     cc -shared -fPIC -o faults.so faults.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* The letter of the fault that is on, or 0. */
static char fault(void)
{
    const char *path = getenv("FAULTS_CONTROL");
    char letter = 0;
    int fd;

    if (path == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return 0;
    if (read(fd, &letter, 1) != 1)
        letter = 0;
    close(fd);
    return letter;
}

static int is_below(int fd)
{
    const char *under = getenv("FAULTS_UNDER");
    char link[64], path[PATH_MAX];
    ssize_t length;

    if (under == NULL)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    return length > 0 && (size_t)length >= strlen(under) && strncmp(path, under, strlen(under)) == 0;
}

/* Whether this call fails, with errno set. */
static int fails(int fd, char letter, int error)
{
    int before = errno;

    if (fault() == letter && is_below(fd)) {
        errno = error;
        return 1;
    }
    errno = before;
    return 0;
}

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (next == NULL) \
        next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define WRITER(name, parameters, arguments) \
    ssize_t name parameters \
    { \
        NEXT(name); \
        return fails(fd, 'f', ENOSPC) ? -1 : next arguments; \
    }

WRITER(write, (int fd, const void *data, size_t size), (fd, data, size))
WRITER(writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
WRITER(pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
WRITER(pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
WRITER(pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at))
WRITER(pwritev64, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at))

#define ALLOCATOR(name, parameters, arguments) \
    int name parameters \
    { \
        NEXT(name); \
        return fails(fd, 'f', ENOSPC) ? -1 : next arguments; \
    }

ALLOCATOR(fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size))
ALLOCATOR(fallocate64, (int fd, int mode, off64_t at, off64_t size), (fd, mode, at, size))

/* These return the error instead of setting errno. */
int posix_fallocate(int fd, off_t at, off_t size)
{
    NEXT(posix_fallocate);
    return fails(fd, 'f', ENOSPC) ? ENOSPC : next(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size)
{
    NEXT(posix_fallocate64);
    return fails(fd, 'f', ENOSPC) ? ENOSPC : next(fd, at, size);
}

#define SYNCER(name) \
    int name(int fd) \
    { \
        NEXT(name); \
        return fails(fd, 's', EIO) ? -1 : next(fd); \
    }

SYNCER(fsync)
SYNCER(fdatasync)
