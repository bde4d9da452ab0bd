/*
 * The disk's faults: a library that stands between a program and the C library (LD_PRELOAD). It sees what
 * is done to the files of one folder, writes it into a trace from which a power cut can be replayed, and
 * answers with errors while it is told to. It knows nothing of Servery nor of SQLite.
 *
 *   FIRE_FOLDER   the folder whose files are meant, as realpath(3) spells it
 *   FIRE_TRACE    append every change of these files to this file, records as in `struct record`
 *   FIRE_BOOK     a file of the folder: what is written to it is acknowledged, and is no change of the disk
 *   FIRE_CONTROL  a file whose first four bytes say which fault there is now, `enum fault`
 *
 * A file's shared-memory index ("-shm") is never part of a trace: a program makes it anew after a power cut.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum fault { NONE, FULL, WRITE_ERROR, SYNC_ERROR, READ_ERROR };

enum kind { WRITE = 1, TRUNCATE, SYNC_BEGUN, SYNC_DONE, CREATE, UNLINK, RENAME, ACKNOWLEDGED };

struct record {
    uint64_t kind;
    uint64_t inode;
    uint64_t offset; /* of a write; the length of a truncate; the number of a sync */
    uint64_t path;   /* bytes of the path that follow */
    uint64_t data;   /* bytes of data that follow the path */
};

static const char *folder, *book;
static int trace = -1;
static volatile int32_t *control;
static uint64_t syncs;
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_pread)(int, void *, size_t, off64_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);
static int (*real_open)(const char *, int, ...);

__attribute__((constructor)) static void start(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_pread = dlsym(RTLD_NEXT, "pread64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_open = dlsym(RTLD_NEXT, "open64");
    folder = getenv("FIRE_FOLDER");
    book = getenv("FIRE_BOOK");
    const char *path = getenv("FIRE_TRACE");
    if (path) trace = real_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    path = getenv("FIRE_CONTROL");
    if (path) {
        int fd = real_open(path, O_RDONLY | O_CLOEXEC);
        void *map = mmap(NULL, sizeof(int32_t), PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) abort();
        control = map;
        close(fd);
    }
}

/* One change at a time, over all threads and processes, so that the trace has the order of the changes. */
static void lock(void) {
    pthread_mutex_lock(&one);
    if (trace >= 0) flock(trace, LOCK_EX);
}

static void unlock(void) {
    if (trace >= 0) flock(trace, LOCK_UN);
    pthread_mutex_unlock(&one);
}

static void note(enum kind kind, uint64_t inode, uint64_t offset, const char *path, const void *data, size_t length) {
    if (trace < 0) return;
    struct record record = {kind, inode, offset, path ? strlen(path) : 0, length};
    struct iovec parts[3] = {{&record, sizeof record}, {(void *)path, record.path}, {(void *)data, length}};
    size_t all = sizeof record + record.path + length;
    if (real_writev(trace, parts, 3) != (ssize_t)all) abort();
}

static int under(const char *path) {
    size_t length = folder ? strlen(folder) : 0;
    return length && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* The path of an open file of the folder; 0 for any other. */
static int ours(int fd, char *path) {
    char link[64];
    if (!folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return under(path);
}

static int kept(const char *path) {
    size_t length = strlen(path);
    return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

static uint64_t inode(int fd) {
    struct stat64 found;
    return fstat64(fd, &found) == 0 ? found.st_ino : 0;
}

static enum fault fault(void) { return control ? (enum fault)*control : NONE; }

/* A write to a file of ours, with the fault of now. The disk takes part of what does not fit whole. */
static ssize_t put(int fd, const void *data, size_t length, off64_t offset) {
    struct stat64 found;
    switch (fault()) {
    case WRITE_ERROR:
        errno = EIO;
        return -1;
    case FULL:
        /* Blocks that the file has already can be written on a full disk. */
        if (fstat64(fd, &found) == 0 && offset + (off64_t)length <= found.st_size) break;
        if (length <= 512) {
            errno = ENOSPC;
            return -1;
        }
        length = length / 2 / 512 * 512;
        if (!length) length = 512;
        break;
    default:
        break;
    }
    return real_pwrite(fd, data, length, offset);
}

static ssize_t change(int fd, const char *path, const void *data, size_t length, off64_t offset) {
    lock();
    ssize_t wrote = put(fd, data, length, offset);
    int error = errno;
    if (wrote > 0 && kept(path)) note(WRITE, inode(fd), (uint64_t)offset, NULL, data, (size_t)wrote);
    unlock();
    errno = error;
    return wrote;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    char path[PATH_MAX];
    return ours(fd, path) ? change(fd, path, data, length, offset) : real_pwrite(fd, data, length, offset);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
    char path[PATH_MAX];
    if (!ours(fd, path)) return real_write(fd, data, length);
    if (book && strcmp(path, book) == 0) {
        lock();
        ssize_t wrote = real_write(fd, data, length);
        if (wrote > 0) note(ACKNOWLEDGED, 0, 0, NULL, data, (size_t)wrote);
        unlock();
        return wrote;
    }
    /* pwrite appends to a file that was opened so, whatever offset it is given. */
    int append = fcntl(fd, F_GETFL) & O_APPEND;
    off64_t offset = lseek64(fd, 0, append ? SEEK_END : SEEK_CUR);
    if (offset < 0) return real_write(fd, data, length);
    ssize_t wrote = change(fd, path, data, length, offset);
    if (wrote > 0) lseek64(fd, offset + wrote, SEEK_SET);
    return wrote;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    if (!ours(fd, path)) return real_writev(fd, parts, count);
    /* A short write is allowed: the caller goes on with the rest. */
    for (int i = 0; i < count; i++)
        if (parts[i].iov_len) return write(fd, parts[i].iov_base, parts[i].iov_len);
    return 0;
}

ssize_t pread64(int fd, void *data, size_t length, off64_t offset) {
    char path[PATH_MAX];
    if (fault() == READ_ERROR && ours(fd, path)) {
        errno = EIO;
        return -1;
    }
    return real_pread(fd, data, length, offset);
}

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX];
    if (!ours(fd, path)) return real_ftruncate(fd, length);
    if (fault() == WRITE_ERROR) {
        errno = EIO;
        return -1;
    }
    lock();
    int done = real_ftruncate(fd, length);
    if (done == 0 && kept(path)) note(TRUNCATE, inode(fd), (uint64_t)length, NULL, NULL, 0);
    unlock();
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int keep(int fd, int (*sync)(int)) {
    char path[PATH_MAX];
    if (!ours(fd, path) || !kept(path)) return sync(fd);
    if (fault() == SYNC_ERROR) {
        errno = EIO;
        return -1;
    }
    lock();
    /* The number need be unique only among those of this file that are under way. */
    uint64_t file = inode(fd), number = ((uint64_t)getpid() << 32) + ++syncs;
    note(SYNC_BEGUN, file, number, NULL, NULL, 0);
    unlock();
    int done = sync(fd);
    if (done == 0) {
        lock();
        note(SYNC_DONE, file, number, NULL, NULL, 0);
        unlock();
    }
    return done;
}

int fsync(int fd) { return keep(fd, real_fsync); }

int fdatasync(int fd) { return keep(fd, real_fdatasync); }

static int opened(const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    if (!folder || !(flags & (O_CREAT | O_TRUNC))) return real_open(name, flags, mode);
    lock();
    struct stat64 found;
    int was_there = stat64(name, &found) == 0;
    if (!was_there && fault() == FULL && under(name)) {
        unlock();
        errno = ENOSPC;
        return -1;
    }
    int fd = real_open(name, flags, mode), error = errno;
    if (fd >= 0 && ours(fd, path) && kept(path) && !(book && strcmp(path, book) == 0)) {
        if (!was_there) note(CREATE, inode(fd), 0, path, NULL, 0);
        else if (flags & O_TRUNC) note(TRUNCATE, inode(fd), 0, NULL, NULL, 0);
    }
    unlock();
    errno = error;
    return fd;
}

int open(const char *name, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(name, flags, mode);
}

int open64(const char *name, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(name, flags, mode);
}

int unlink(const char *name) {
    if (!under(name) || !kept(name)) return real_unlink(name);
    lock();
    int done = real_unlink(name), error = errno;
    if (done == 0) note(UNLINK, 0, 0, name, NULL, 0);
    unlock();
    errno = error;
    return done;
}

int rename(const char *from, const char *to) {
    if (!under(from) || !under(to)) return real_rename(from, to);
    lock();
    int done = real_rename(from, to), error = errno;
    if (done == 0) note(RENAME, 0, 0, from, to, strlen(to));
    unlock();
    errno = error;
    return done;
}
