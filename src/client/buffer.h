/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text that comes in parts. */

#include <stddef.h>

#include "util/macro.h"

typedef struct Buffer {
        char *text; /* with a NUL at its end; NULL: nothing has come yet */
        size_t n;
        size_t size;
} Buffer;

/* Returns 0, -EMSGSIZE if it would be longer than max, or -ENOMEM; the buffer is as it was then. */
int buffer_append(Buffer *b, size_t max, const char *data, size_t n);
