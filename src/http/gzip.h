/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers made smaller for clients that ask for it. */

#include <stddef.h>

/* So that it does not write to what it reads. */
#define ZLIB_CONST
#include <zlib.h>

/* Prepares a stream (all zero) for the gzip format, for deflateEnd() at last. Returns 0, or -ENOMEM. */
int gzip_init(z_stream *z);

/* Fast rather than small. Returns the gzip form of n bytes, to be freed with free(), and its size; NULL: there is
 * no memory for it, or it is not smaller. */
char *gzip_compress(const char *data, size_t n, size_t *ret_size);
