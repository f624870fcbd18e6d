/* Stands before libc (LD_PRELOAD): counts the calls about files in one folder, and lets the n-th fail or kill.
   faults_set(folder, n, mode, error): from now on. Modes are below. faults_count(): the calls since then. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ONCE = 1, GROWING_FROM = 2, CHANGES_FROM = 3, KILL = 4 };
enum { READS, CHANGES, GROWS };
enum { FILES = 4096 };

static char folder[PATH_MAX];
static size_t length;
static long at, count;
static int mode, code;
static char watched[FILES];

void faults_set(const char *path, long n, int how, int error) {
    strncpy(folder, path, sizeof folder - 1);
    length = strlen(folder);
    at = n, mode = how, code = error, count = 0;
}

long faults_count(void) { return count; }

static int inside(const char *path) { return length && !strncmp(path, folder, length) && path[length] == '/'; }

static int held(int fd) { return length && fd >= 0 && fd < FILES && watched[fd]; }

/* 1: this call is to fail. */
static int due(int kind) {
    long n = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    int fails = 0;
    if (!at) return 0;
    if (mode == ONCE) fails = n == at;
    if (mode == GROWING_FROM) fails = n >= at && kind == GROWS;
    if (mode == CHANGES_FROM) fails = n >= at && kind != READS;
    if (mode == KILL && n == at) kill(getpid(), SIGKILL);
    if (fails) errno = code;
    return fails;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
#define PASS(type, name, given, args, cond, kind) \
    type name given { REAL(name); if ((cond) && due(kind)) return -1; return real args; }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; va_start(rest, flags); mode_t rights = va_arg(rest, mode_t); va_end(rest); \
        int ours = inside(path); \
        if (ours && due(flags & O_CREAT && access(path, F_OK) ? GROWS : flags & O_ACCMODE ? CHANGES : READS)) return -1; \
        int fd = real(path, flags, rights); \
        if (fd >= 0 && fd < FILES) watched[fd] = ours; \
        return fd; \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    REAL(close);
    if (fd >= 0 && fd < FILES) watched[fd] = 0;
    return real(fd);
}

/* A write that fails or is killed has written a half, as one that meets a full disk. */
#define WRITE(name, given, args, half) \
    ssize_t name given { \
        REAL(name); \
        if (!held(fd)) return real args; \
        if (at && count + 1 == at && size > 1 && mode != CHANGES_FROM) (void)!real half; \
        if (due(GROWS)) return -1; \
        return real args; \
    }
WRITE(write, (int fd, const void *data, size_t size), (fd, data, size), (fd, data, size / 2))
WRITE(pwrite, (int fd, const void *data, size_t size, off_t place), (fd, data, size, place), (fd, data, size / 2, place))
WRITE(pwrite64, (int fd, const void *data, size_t size, off64_t place), (fd, data, size, place), (fd, data, size / 2, place))

PASS(ssize_t, read, (int fd, void *data, size_t size), (fd, data, size), held(fd), READS)
PASS(ssize_t, pread, (int fd, void *data, size_t size, off_t place), (fd, data, size, place), held(fd), READS)
PASS(ssize_t, pread64, (int fd, void *data, size_t size, off64_t place), (fd, data, size, place), held(fd), READS)
PASS(ssize_t, writev, (int fd, const struct iovec *data, int n), (fd, data, n), held(fd), GROWS)
PASS(int, fsync, (int fd), (fd), held(fd), CHANGES)
PASS(int, fdatasync, (int fd), (fd), held(fd), CHANGES)
PASS(int, ftruncate, (int fd, off_t size), (fd, size), held(fd), CHANGES)
PASS(int, ftruncate64, (int fd, off64_t size), (fd, size), held(fd), CHANGES)
PASS(int, fchmod, (int fd, mode_t rights), (fd, rights), held(fd), CHANGES)
PASS(int, chmod, (const char *path, mode_t rights), (path, rights), inside(path), CHANGES)
PASS(int, mkdir, (const char *path, mode_t rights), (path, rights), inside(path), GROWS)
PASS(int, unlink, (const char *path), (path), inside(path), CHANGES)
PASS(int, rmdir, (const char *path), (path), inside(path), CHANGES)
PASS(int, rename, (const char *path, const char *to), (path, to), inside(path), CHANGES)
PASS(int, link, (const char *path, const char *to), (path, to), inside(path), CHANGES)
