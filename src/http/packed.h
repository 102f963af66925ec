/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Streams made smaller on their way, by gzip: fast rather than small. */

#include "http/stream.h"

typedef struct Packed Packed;

/* Bytes that one takes, at the most: zlib's windows and tables, mostly. */
#define PACKED_SIZE (320u * 1024)

/* What the source gives; the source and its userdata are borrowed until packed_source.done(). NULL: out of memory.
 */
Packed *packed_new(const HttpSource *source, void *userdata);

/* Without a word to the source. */
Packed *packed_free(Packed *packed);

/* The userdata of this source is a Packed. */
extern const HttpSource packed_source;
