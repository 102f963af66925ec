/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/digest.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/hex.h"
#include "util/macro.h"

void digest_init(Digest *d) {
        SHA256Init(&d->context);
}

void digest_add_text(Digest *d, const char *text) {
        uint64_t size = text ? strlen(text) : UINT64_MAX;

        SHA256Update(&d->context, (const uint8_t *) &size, sizeof size);
        if (text)
                SHA256Update(&d->context, (const uint8_t *) text, size);
}

int digest_add_json(Digest *d, const json_t *json) {
        _cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

        if (json && !text)
                return -ENOMEM;
        digest_add_text(d, text);
        return 0;
}

void digest_finish(Digest *d, char ret[static DIGEST_MAX]) {
        uint8_t bytes[SHA256_DIGEST_LENGTH];

        SHA256Final(bytes, &d->context);
        (void) hex_format(bytes, sizeof bytes, ret);
}
