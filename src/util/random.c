/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/random.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

void random_fill(void *ret, size_t n) {
        static _Thread_local struct {
                unsigned char bytes[256]; /* of more the kernel may give a part, or none if a signal comes */
                size_t n_left;
        } kept;

        assert(n <= 64);
        if (kept.n_left < n) {
                ssize_t size = getrandom(kept.bytes, sizeof kept.bytes, 0);

                kept.n_left = size > 0 ? (size_t) size : 0;
        }
        if (kept.n_left < n) {
                memset(ret, 0, n);
                return;
        }
        kept.n_left -= n;
        memcpy(ret, kept.bytes + kept.n_left, n);
}
