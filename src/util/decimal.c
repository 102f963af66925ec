/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/decimal.h"

char *decimal_write_padded(char *p, uint64_t value, unsigned n) {
        for (unsigned i = n; i > 0; value /= 10)
                p[--i] = (char) ('0' + value % 10);
        return p + n;
}

char *decimal_write(char *p, uint64_t value) {
        unsigned n = 1;

        for (uint64_t rest = value; rest >= 10; rest /= 10)
                n++;
        return decimal_write_padded(p, value, n);
}
