/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/slab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "util/macro.h"

/* A multiple of every page size, and aligned to itself, so that the address of a structure tells its piece. */
#define PIECE_SIZE 262144u

struct SlabPiece {
        LIST_ENTRY(SlabPiece) entry; /* while it has room */
        void *freed; /* the structure that was freed last; each has the one before it at its start */
        uint32_t n_used;
        uint32_t n_touched; /* those behind have never been used */
        char structures[];
};

static uint32_t capacity(const Slab *slab) {
        return (uint32_t) ((PIECE_SIZE - sizeof(SlabPiece)) / slab->size);
}

static SlabPiece *piece_of(void *structure) {
        return (void *) ((char *) structure - (uintptr_t) structure % PIECE_SIZE);
}

static SlabPiece *map_piece(void) {
        char *begin, *piece;

        begin = mmap(NULL, 2 * PIECE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (begin == MAP_FAILED)
                return NULL;

        piece = begin + (PIECE_SIZE - (uintptr_t) begin % PIECE_SIZE) % PIECE_SIZE;
        if (piece > begin)
                (void) munmap(begin, (size_t) (piece - begin));
        (void) munmap(piece + PIECE_SIZE, (size_t) (begin + PIECE_SIZE - piece));
        return (void *) piece;
}

static void *take_structure(Slab *slab) {
        SlabPiece *piece = LIST_FIRST(&slab->with_room);
        void *structure;

        if (!piece) {
                piece = map_piece();
                if (!piece)
                        return NULL;
                LIST_INSERT_HEAD(&slab->with_room, piece, entry);
        }

        if (piece->freed) {
                structure = piece->freed;
                memcpy(&piece->freed, structure, sizeof piece->freed);
        } else
                structure = piece->structures + slab->size * piece->n_touched++;
        if (++piece->n_used == capacity(slab))
                LIST_REMOVE(piece, entry);
        return memset(structure, 0, slab->size);
}

void *slab_allocate(Slab *slab) {
        assert(slab->size % 8 == 0 && slab->size >= sizeof(void *) && slab->size <= SLAB_SIZE_MAX);

        return HAS_ADDRESS_SANITIZER ? calloc(1, slab->size) : take_structure(slab);
}

/* The last piece stays, so that who makes and frees one structure after the other is quick. */
static bool is_superfluous(const Slab *slab, const SlabPiece *piece) {
        return piece->n_used == 0 && (LIST_FIRST(&slab->with_room) != piece || LIST_NEXT(piece, entry));
}

static void give_back(Slab *slab, void *structure) {
        SlabPiece *piece = piece_of(structure);

        if (piece->n_used-- == capacity(slab))
                LIST_INSERT_HEAD(&slab->with_room, piece, entry);
        memcpy(structure, &piece->freed, sizeof piece->freed);
        piece->freed = structure;

        if (is_superfluous(slab, piece)) {
                LIST_REMOVE(piece, entry);
                (void) munmap(piece, PIECE_SIZE);
        }
}

void slab_free(Slab *slab, void *structure) {
        if (HAS_ADDRESS_SANITIZER)
                free(structure);
        else
                give_back(slab, structure);
}
