/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/gzip.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* The largest window, and 16: with the header and trailer of gzip. */
#define WINDOW_BITS (15 + 16)
#define MEM_LEVEL   8

int gzip_init(z_stream *z) {
        return deflateInit2(z, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK
                       ? 0
                       : -ENOMEM;
}

/* Fills the buffer, and no more. Returns the size, or 0. */
static size_t deflate_all(z_stream *z, const char *data, size_t n, char *buffer, size_t size) {
        z->next_in = (const Bytef *) data;
        z->avail_in = (uInt) n;
        z->next_out = (Bytef *) buffer;
        z->avail_out = (uInt) size;
        return deflate(z, Z_FINISH) == Z_STREAM_END ? size - z->avail_out : 0;
}

char *gzip_compress(const char *data, size_t n, size_t *ret_size) {
        char *buffer = n > 0 && n <= UINT_MAX ? malloc(n) : NULL;
        z_stream z = {};
        size_t size = 0;

        if (!buffer || gzip_init(&z) < 0) {
                free(buffer);
                return NULL;
        }
        size = deflate_all(&z, data, n, buffer, n);
        (void) deflateEnd(&z);
        if (size == 0) {
                free(buffer);
                return NULL;
        }

        *ret_size = size;
        return buffer;
}
