/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/hex.h"

#include <errno.h>

/* Without the NUL. */
static const char hex_digits[16] = "0123456789abcdef";

int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -EINVAL;
}

char *hex_format(const uint8_t *bytes, size_t n, char *ret) {
        for (size_t i = 0; i < n; i++) {
                *ret++ = hex_digits[bytes[i] >> 4];
                *ret++ = hex_digits[bytes[i] & 0xf];
        }
        *ret = '\0';
        return ret;
}
