/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/number.h"

bool number_parse(const char *text, unsigned base, uint64_t max, uint64_t *ret) {
        uint64_t number = 0;

        if (!*text)
                return false;
        for (; *text; text++) {
                unsigned digit = (unsigned char) *text - (unsigned) '0';

                if (digit >= base || digit > max || number > (max - digit) / base)
                        return false;
                number = number * base + digit;
        }
        *ret = number;
        return true;
}
