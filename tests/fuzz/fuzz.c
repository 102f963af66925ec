/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 512

static char directory[PATH_SIZE];

static uint64_t take(FuzzInput *in, size_t n) {
        uint64_t value = 0;

        for (size_t i = 0; i < n && in->size > 0; i++) {
                value |= (uint64_t) *in->data++ << 8 * i;
                in->size--;
        }
        return value;
}

uint8_t fuzz_take_byte(FuzzInput *in) {
        return (uint8_t) take(in, 1);
}

uint16_t fuzz_take_u16(FuzzInput *in) {
        return (uint16_t) take(in, 2);
}

uint32_t fuzz_take_u32(FuzzInput *in) {
        return (uint32_t) take(in, 4);
}

uint64_t fuzz_take_u64(FuzzInput *in) {
        return take(in, 8);
}

/* Exactly as large as it must be: what reads past its end is found. */
static char *copy(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1);

        fuzz_expect(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        return text;
}

char *fuzz_take_text(FuzzInput *in) {
        const uint8_t *end = in->size > 0 ? memchr(in->data, '\0', in->size) : NULL;
        size_t n = end ? (size_t) (end - in->data) : in->size;
        char *text = copy(in->data, n);

        in->data += n + (end != NULL);
        in->size -= n + (end != NULL);
        return text;
}

char *fuzz_take_rest(FuzzInput *in, size_t *ret_size) {
        char *text = copy(in->data, in->size);

        *ret_size = in->size;
        in->data += in->size;
        in->size = 0;
        return text;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) remove(path);
        return 0;
}

void fuzz_remove(const char *path) {
        (void) nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void remove_directory(void) {
        fuzz_remove(directory);
}

const char *fuzz_directory(void) {
        const char *parent = getenv("TMPDIR");

        if (directory[0])
                return directory;
        if (!parent)
                parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        (void) snprintf(directory, sizeof directory, "%s/hsvdpa-fuzz.XXXXXX", parent);
        fuzz_expect(mkdtemp(directory));
        (void) atexit(remove_directory);
        return directory;
}

const char *fuzz_path(const char *name) {
        static char paths[8][2 * PATH_SIZE];
        static unsigned next;
        char *path = paths[next++ % ELEMENTSOF(paths)];

        (void) snprintf(path, sizeof paths[0], "%s/%s", fuzz_directory(), name);
        return path;
}

static void make_parents(const char *path) {
        char parent[2 * PATH_SIZE];

        for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                (void) snprintf(parent, sizeof parent, "%.*s", (int) (slash - path), path);
                fuzz_expect(mkdir(parent, 0755) == 0 || errno == EEXIST);
        }
}

void fuzz_write_file(const char *path, const void *data, size_t size) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0 && errno == ENOENT) {
                make_parents(path);
                fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        }
        fuzz_expect(fd >= 0 && write(fd, data, size) == (ssize_t) size && close(fd) == 0);
}
