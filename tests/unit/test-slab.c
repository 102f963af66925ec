/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Structures beside each other, and the memory that goes back. */
#include "util/slab.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "unit.h"

#define N 3000u

static bool is_filled(const char *structure, char with, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (structure[i] != with)
                        return false;
        return true;
}

static char *allocate(Slab *slab, char fill) {
        char *structure = slab_allocate(slab);

        ck_assert_ptr_nonnull(structure);
        ck_assert_uint_eq((uintptr_t) structure % 8, 0);
        ck_assert(is_filled(structure, 0, slab->size));
        memset(structure, fill, slab->size);
        return structure;
}

static const size_t sizes[] = { 8, 24, 592, SLAB_SIZE_MAX };

/* Frees and allocates what comes: nobody else's structure changes. */
START_TEST(test_each_has_its_own) {
        Slab slab = SLAB_INIT(sizes[_i]);
        char *structures[N] = {};

        for (unsigned k = 0; k < 20 * N; k++) {
                unsigned i = unit_random(N);

                if (structures[i]) {
                        ck_assert(is_filled(structures[i], (char) (1 + i % 100), slab.size));
                        slab_free(&slab, structures[i]);
                        structures[i] = NULL;
                } else
                        structures[i] = allocate(&slab, (char) (1 + i % 100));
        }
        for (unsigned i = 0; i < N; i++)
                if (structures[i]) {
                        ck_assert(is_filled(structures[i], (char) (1 + i % 100), slab.size));
                        slab_free(&slab, structures[i]);
                }
}
END_TEST

static bool is_mapped(char *structure) {
        unsigned char in_memory;
        char *page = structure - (uintptr_t) structure % 4096;

        return mincore(page, 1, &in_memory) == 0;
}

/* All but the last piece, in whichever order they are freed. */
START_TEST(test_goes_back) {
        Slab slab = SLAB_INIT(592);
        unsigned n_mapped = 0, n_before = 0;
        char *structures[N];

        if (HAS_ADDRESS_SANITIZER)
                return;
        for (unsigned i = 0; i < N; i++)
                structures[i] = allocate(&slab, 1);
        for (unsigned i = 0; i < N; i++)
                n_before += is_mapped(structures[i]);
        ck_assert_uint_eq(n_before, N);

        for (unsigned i = 0; i < N; i++)
                slab_free(&slab, structures[_i == 0 ? i : i * 7 % N]);
        for (unsigned i = 0; i < N; i++)
                n_mapped += is_mapped(structures[i]);
        ck_assert_uint_gt(n_mapped, 0);
        ck_assert_uint_le(n_mapped, 262144 / 592);

        slab_free(&slab, allocate(&slab, 1));
}
END_TEST

static void add(TCase *tc) {
        tcase_add_loop_test(tc, test_each_has_its_own, 0, ELEMENTSOF(sizes));
        tcase_add_loop_test(tc, test_goes_back, 0, 2);
}

int main(void) {
        return unit_main("slab", add);
}
