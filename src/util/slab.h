/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Memory for very many structures of one size that stay. On the heap, what is needed for a moment to make each of
 * them leaves a hole between it and the next one; here they stand side by side, and what has become free goes back
 * to the system in pieces. One thread's. Under AddressSanitizer it is the heap after all, which that watches. */

#include <bsd/sys/queue.h>
#include <stddef.h>

typedef struct SlabPiece SlabPiece;

LIST_HEAD(SlabPieceList, SlabPiece);

typedef struct Slab {
        size_t size;                    /* of a structure, in bytes: a multiple of 8, at most SLAB_SIZE_MAX */
        struct SlabPieceList with_room; /* not those that are full */
} Slab;

#define SLAB_SIZE_MAX 4096u

/* An initializer. */
#define SLAB_INIT(structure_size) ((Slab){ .size = (structure_size) })

/* Zeroed, and aligned to 8 bytes. NULL: out of memory. */
void *slab_allocate(Slab *slab);

/* Of the same slab. */
void slab_free(Slab *slab, void *structure);
