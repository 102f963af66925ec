/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/bar.h"

#include <string.h>

#include "ctl/text.h"
#include "util/macro.h"

static size_t filled(uint64_t part, uint64_t whole, size_t width) {
        size_t n;

        if (part >= whole)
                return part > 0 ? width : 0;
        n = (size_t) ((double) part / (double) whole * (double) width);
        if (n == 0 && part > 0)
                return 1;
        return n == width ? width - 1 : n;
}

char *bar_format(uint64_t part, uint64_t whole, size_t width) {
        const char *full = text_is_utf8() ? "\xe2\x96\x88" : "#", *empty = text_is_utf8() ? "\xe2\x96\x91" : ".";
        size_t n_full = filled(part, whole, width), size = strlen(full);
        char *bar = malloc(width * size + 1), *end = bar;

        for (size_t i = 0; bar && i < width; i++)
                end = mempcpy(end, i < n_full ? full : empty, size);
        if (bar)
                *end = '\0';
        return bar;
}

Style bar_style(uint64_t part, uint64_t whole) {
        double share = whole > 0 ? (double) part / (double) whole : 0;

        if (share < 0.8)
                return STYLE_GOOD;
        return share < 0.95 ? STYLE_BUSY : STYLE_BAD;
}
