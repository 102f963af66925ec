/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/url.h"

#include "util/hex.h"

/* The byte that a sequence at text stands for; 0 if it is none, or stands for NUL. */
static int unescape_byte(const char *text) {
        int high, low;

        if (text[0] != '%' || (high = hex_digit(text[1])) < 0 || (low = hex_digit(text[2])) < 0)
                return 0;

        return high << 4 | low;
}

size_t url_unescape(char *text) {
        char *out = text;

        for (const char *in = text; *in;) {
                int byte = unescape_byte(in);

                *out++ = byte ? (char) byte : *in;
                in += byte ? 3 : 1;
        }
        *out = '\0';

        return (size_t) (out - text);
}
