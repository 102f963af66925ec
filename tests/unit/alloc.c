/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "alloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static atomic_long n_left = -1; /* allocations that work; -1: all */
static atomic_bool has_failed;
static atomic_long n_blocks;

void alloc_fail_after(long n) {
        atomic_store(&has_failed, false);
        atomic_store(&n_left, n);
}

bool alloc_end(void) {
        atomic_store(&n_left, -1);
        return atomic_load(&has_failed);
}

long alloc_count(void) {
        return atomic_load(&n_blocks);
}

#if ALLOC_CAN_FAIL

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

#define REPLACES __attribute__((visibility("default")))

static bool fails(void) {
        long n = atomic_load(&n_left);

        while (n >= 0)
                if (atomic_compare_exchange_weak(&n_left, &n, n - 1)) {
                        if (n > 0)
                                return false;
                        atomic_store(&has_failed, true);
                        errno = ENOMEM;
                        return true;
                }
        return false;
}

static void *counted(void *p) {
        if (p)
                atomic_fetch_add(&n_blocks, 1);
        return p;
}

REPLACES void *malloc(size_t size) {
        return fails() ? NULL : counted(__libc_malloc(size));
}

REPLACES void *calloc(size_t n, size_t size) {
        return fails() ? NULL : counted(__libc_calloc(n, size));
}

REPLACES void *realloc(void *p, size_t size) {
        if (fails())
                return NULL;
        return p ? __libc_realloc(p, size) : counted(__libc_malloc(size));
}

REPLACES void *memalign(size_t align, size_t size) {
        return fails() ? NULL : counted(__libc_memalign(align, size));
}

REPLACES void *aligned_alloc(size_t align, size_t size) {
        return fails() ? NULL : counted(__libc_memalign(align, size));
}

REPLACES int posix_memalign(void **ret, size_t align, size_t size) {
        void *p = fails() ? NULL : counted(__libc_memalign(align, size));

        if (!p)
                return ENOMEM;
        *ret = p;
        return 0;
}

REPLACES void free(void *p) {
        if (p)
                atomic_fetch_sub(&n_blocks, 1);
        __libc_free(p);
}

#endif
