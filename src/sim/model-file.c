/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The size of the file says how far its making came: nothing, the header, all of it. The header is written whole by
 * one write(), so a kill in between leaves a file that the next start finishes. */
#include "sim/model-file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "util/crash.h"

/* What is before the device slots is always there. */
#define HEAD_SIZE (offsetof(ModelLayout, mgmtdevs) + sizeof(((ModelLayout *) 0)->mgmtdevs))

/* They are in the file: another size is another layout. */
static_assert(sizeof(ModelHeader) == 64, "the layout has changed");
static_assert(sizeof(ModelMgmtdev) == 456, "the layout has changed");
static_assert(sizeof(ModelDevice) == 240, "the layout has changed");
static_assert(offsetof(ModelLayout, devices) == 65536, "the layout has changed");
static_assert(sizeof(ModelLayout) % MODEL_PIECE_SIZE == 0 && MODEL_TABLE_SIZE % MODEL_PIECE_SIZE == 0,
              "the last piece would be over the end");
static_assert(sizeof(((ModelLayout *) 0)->devices) <= MODEL_PIECES_MAX * (uint64_t) MODEL_PIECE_SIZE &&
                      sizeof(((ModelLayout *) 0)->blocks) <= MODEL_PIECES_MAX * (uint64_t) MODEL_PIECE_SIZE &&
                      MODEL_TABLE_SIZE <= MODEL_PIECES_MAX * (uint64_t) MODEL_PIECE_SIZE,
              "there are not enough bits for the pieces");

static const ModelHeader new_header = {
        .magic = MODEL_MAGIC,
        .layout_version = MODEL_LAYOUT_VERSION,
        .n_mgmtdevs = MODEL_MGMTDEVS_MAX,
        .n_devices = MODEL_DEVICES_MAX,
        .device_size = sizeof(ModelDevice),
        .n_blocks = MODEL_BLOCKS_MAX,
};

int model_file_damaged(const char *directory, Failure *f, const char *format, ...) {
        char what[256];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(what, sizeof what, format, ap);
        va_end(ap);

        return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EUCLEAN,
                           "%s/" MODEL_FILE_NAME
                           " is damaged: %s. Remove it to go on: the simulated devices are gone "
                           "then, as after a power cycle",
                           directory, what);
}

static int model_file_check_header(const ModelHeader *h, const char *directory, Failure *f) {
        if (memcmp(h->magic, new_header.magic, sizeof h->magic) != 0)
                return model_file_damaged(directory, f, "it does not begin as such a file does");

        if (h->layout_version != MODEL_LAYOUT_VERSION)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EPROTONOSUPPORT,
                                   "%s/" MODEL_FILE_NAME
                                   " has layout %u, and this program knows layout %u. Remove it "
                                   "to go on: the simulated devices are gone then, as after a power cycle",
                                   directory, h->layout_version, MODEL_LAYOUT_VERSION);

        if (h->n_mgmtdevs != new_header.n_mgmtdevs || h->n_devices != new_header.n_devices ||
            h->device_size != new_header.device_size || h->n_blocks != new_header.n_blocks ||
            h->high_water > MODEL_DEVICES_MAX)
                return model_file_damaged(directory, f, "the sizes of its tables are impossible");

        return 0;
}

/* Brings a file that is new, or whose making was cut short, to its full size, and checks every other one. */
static int model_file_prepare(int fd, const char *directory, Failure *f) {
        ModelHeader header;
        struct stat st;
        ssize_t n;
        int r;

        if (fstat(fd, &st) < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno,
                                   "Cannot read the size of %s/" MODEL_FILE_NAME ": %m", directory);
        if (!S_ISREG(st.st_mode))
                return model_file_damaged(directory, f, "it is not a regular file");

        if (st.st_size == 0) {
                n = pwrite(fd, &new_header, sizeof new_header, 0);
                if (n >= 0 && n != (ssize_t) sizeof new_header)
                        errno = ENOSPC;
                if (n != (ssize_t) sizeof new_header)
                        return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno,
                                           "Cannot write %s/" MODEL_FILE_NAME ": %m", directory);
                st.st_size = sizeof new_header;
                CRASH_POINT(SIM_FILE_BEGUN);
        }

        n = pread(fd, &header, sizeof header, 0);
        if (n < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno, "Cannot read %s/" MODEL_FILE_NAME ": %m",
                                   directory);
        if (n != (ssize_t) sizeof header)
                return model_file_damaged(directory, f, "it is cut short");

        r = model_file_check_header(&header, directory, f);
        if (r < 0)
                return r;

        if (st.st_size == sizeof header && header.high_water == 0) {
                if (ftruncate(fd, (off_t) MODEL_FILE_SIZE) < 0)
                        return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno,
                                           "Cannot set the size of %s/" MODEL_FILE_NAME ": %m", directory);
        } else if (st.st_size != (off_t) MODEL_FILE_SIZE)
                return model_file_damaged(directory, f, "it has %jd bytes instead of %jd", (intmax_t) st.st_size,
                                          (intmax_t) MODEL_FILE_SIZE);

        return 0;
}

static int model_file_open_locked(const char *directory, int *ret, Failure *f) {
        _cleanup_close_ int directory_fd = -1, fd = -1;

        directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory_fd < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno, "Cannot open the directory %s: %m",
                                   directory);

        fd = openat(directory_fd, MODEL_FILE_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno, "Cannot open %s/" MODEL_FILE_NAME ": %m",
                                   directory);

        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno == EWOULDBLOCK ? EBUSY : errno,
                                   "Cannot lock %s/" MODEL_FILE_NAME ": %s", directory,
                                   errno == EWOULDBLOCK ? "another process has it" : strerror(errno));

        *ret = TAKE_FD(fd);
        return 0;
}

static int model_file_allocate(ModelFile *file, uint64_t offset, uint64_t size) {
        int r;

        do
                r = posix_fallocate(file->fd, (off_t) offset, (off_t) size);
        while (r == EINTR);
        return -r;
}

/* The tables are aligned to more than a page. Returns MAP_FAILED with errno set. */
static void *model_file_map(int fd) {
        const size_t align = alignof(ModelLayout), size = sizeof(ModelLayout);
        char *room, *aligned;
        void *layout;
        int error;

        room = mmap(NULL, size + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (room == MAP_FAILED)
                return MAP_FAILED;

        aligned = room + (align - (uintptr_t) room % align) % align;
        layout = mmap(aligned, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
        error = errno;
        if (layout == MAP_FAILED) {
                (void) munmap(room, size + align);
                errno = error;
                return MAP_FAILED;
        }

        if (aligned > room)
                (void) munmap(room, (size_t) (aligned - room));
        (void) munmap(aligned + size, (size_t) (room + align - aligned));
        return layout;
}

int model_file_open(ModelFile *file, const char *directory, Failure *f) {
        _cleanup_close_ int fd = -1;
        void *layout;
        int r;

        r = model_file_open_locked(directory, &fd, f);
        if (r < 0)
                return r;

        r = model_file_prepare(fd, directory, f);
        if (r < 0)
                return r;

        layout = model_file_map(fd);
        if (layout == MAP_FAILED)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno, "Cannot map %s/" MODEL_FILE_NAME ": %m",
                                   directory);

        *file = (ModelFile){
                .fd = TAKE_FD(fd),
                .layout = layout,
                .devices = { offsetof(ModelLayout, devices), sizeof(((ModelLayout *) 0)->devices), {} },
                .blocks = { offsetof(ModelLayout, blocks), sizeof(((ModelLayout *) 0)->blocks), {} },
        };

        r = model_file_allocate(file, 0, HEAD_SIZE);
        if (r == 0)
                r = model_file_back(file, &file->devices, 0,
                                    file->layout->header.high_water * (uint64_t) sizeof(ModelDevice));
        if (r < 0) {
                model_file_close(file);
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, r,
                                   "There is no room for the tables of %s/" MODEL_FILE_NAME ": %s", directory,
                                   strerror(-r));
        }

        return 0;
}

void model_file_close(ModelFile *file) {
        if (!file->layout)
                return;

        (void) munmap(file->layout, sizeof(ModelLayout));
        close(file->fd);
        *file = (ModelFile){ .fd = -1 };
}

int model_file_back(ModelFile *file, ModelArea *area, uint64_t from, uint64_t n) {
        int r;

        assert(from + n <= area->size);

        for (uint64_t i = from / MODEL_PIECE_SIZE; i * MODEL_PIECE_SIZE < from + n; i++) {
                if (area->backed[i / 64] >> (i % 64) & 1)
                        continue;
                r = model_file_allocate(file, area->offset + i * MODEL_PIECE_SIZE, MODEL_PIECE_SIZE);
                if (r < 0)
                        return r;
                area->backed[i / 64] |= UINT64_C(1) << (i % 64);
        }

        return 0;
}

void model_file_drop(ModelFile *file, ModelArea *area) {
        /* Memory that stays is not wrong, only lost: nothing in it counts any more. */
        (void) fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) area->offset,
                         (off_t) area->size);
        memset(area->backed, 0, sizeof area->backed);
}
