/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/idempotency-key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool idempotency_key_is_valid(const char *text) {
        size_t n = strlen(text);

        for (size_t i = 0; i < n; i++)
                if (text[i] <= ' ' || text[i] > '~')
                        return false;

        return n > 0 && n < IDEMPOTENCY_KEY_MAX;
}

/* No client comes to such a key by chance. One that makes it up has to know the key of the batch. */
void idempotency_key_derive(const IdempotencyKey *key, size_t i, IdempotencyKey *ret) {
        char index[24], digest[DIGEST_MAX];
        Digest d;

        (void) snprintf(index, sizeof index, "%zu", i);
        digest_init(&d);
        digest_add_text(&d, key->text);
        digest_add_text(&d, index);
        digest_finish(&d, digest);
        (void) snprintf(ret->text, sizeof ret->text, "part:%s", digest);
        strcpy(ret->request, key->request);
}

int idempotency_key_parse(const char *value, IdempotencyKey *ret) {
        char text[IDEMPOTENCY_KEY_MAX + 2];
        size_t n = strlen(value);

        if (n >= sizeof text)
                return -EINVAL;
        if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
                value++;
                n -= 2;
        }
        memcpy(text, value, n);
        text[n] = '\0';
        if (!idempotency_key_is_valid(text))
                return -EINVAL;

        strcpy(ret->text, text);
        return 0;
}
