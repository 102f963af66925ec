/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int buffer_append(Buffer *b, size_t max, const char *data, size_t n) {
        if (n > max - b->n)
                return -EMSGSIZE;
        /* Room for the NUL as well. */
        if (b->size - b->n <= n) {
                size_t wanted = (b->n + n + 1) * 2;
                char *grown = realloc(b->text, wanted);

                if (!grown)
                        return -ENOMEM;
                b->text = grown;
                b->size = wanted;
        }
        memcpy(b->text + b->n, data, n);
        b->n += n;
        b->text[b->n] = '\0';
        return 0;
}
