/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The values of header fields; the first byte says of which. */
#include <string.h>

#include "fuzz.h"
#include "http/header.h"

static void check_if_match(const char *value) {
        char etag[ETAG_MAX];
        uint64_t revision = 0;
        bool any = false;

        if (if_match_parse(value, &any, &revision) < 0 || any)
                return;
        (void) etag_format(revision, etag);
        fuzz_expect(if_none_match_has(etag, revision));
        fuzz_expect(strlen(etag) < ETAG_MAX && if_match_parse(etag, &any, &revision) == 0 && !any);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        uint8_t which = fuzz_take_byte(&in);
        _cleanup_free_ char *value = fuzz_take_text(&in);

        if (which == 'm')
                check_if_match(value);
        else if (which == 'n')
                (void) if_none_match_has(value, 42);
        else if (which == 't')
                (void) media_type_is(value, "application/json");
        else if (which == 'a')
                (void) list_names(value, "application/x-ndjson");
        else if (which == 'e')
                (void) accept_encoding_has(value, "gzip");
        else
                (void) host_is_loopback(value);
        return 0;
}
