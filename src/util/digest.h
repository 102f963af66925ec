/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A digest (SHA-256) of things one after the other, each told from its neighbours. */

#include <jansson.h>
#include <sha2.h>

/* In hexadecimal digits, and the NUL. */
#define DIGEST_MAX (2 * SHA256_DIGEST_LENGTH + 1)

typedef struct Digest {
        SHA2_CTX context;
} Digest;

void digest_init(Digest *d);

/* NULL is something else than "". */
void digest_add_text(Digest *d, const char *text);

/* Two that are equal count as one, however they were written. NULL: none. Returns 0, or -ENOMEM. */
int digest_add_json(Digest *d, const json_t *json);

void digest_finish(Digest *d, char ret[static DIGEST_MAX]);
