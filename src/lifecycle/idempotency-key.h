/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a client gives a request so that it can send it again and have it done once. */

#include <stdbool.h>

#include "util/digest.h"

/* Bytes, and the NUL. */
#define IDEMPOTENCY_KEY_MAX 129

typedef struct IdempotencyKey {
        char text[IDEMPOTENCY_KEY_MAX]; /* "": none */
        char request[DIGEST_MAX];       /* a digest of all that makes the request what it is */
} IdempotencyKey;

/* 1 to 128 visible characters of ASCII. */
bool idempotency_key_is_valid(const char *text);

/* The key of the i-th part of a request that has parts: each of them is known by itself when the request comes
 * again. */
void idempotency_key_derive(const IdempotencyKey *key, size_t i, IdempotencyKey *ret);

/* Takes quotes off, which are not part of it. Returns 0 with the text set, or -EINVAL. */
int idempotency_key_parse(const char *value, IdempotencyKey *ret);
