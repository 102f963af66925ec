/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/budget.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "ctl/bar.h"
#include "ctl/text.h"
#include "ctl/value.h"
#include "util/macro.h"

#define BAR_WIDTH 20

/* A narrow terminal has space for the numbers only. */
#define BAR_MIN_SCREEN 60

static const struct {
        const char *title, *pointer;
} resources[] = {
        { "Devices", "/budgets/devices" },
        { "ASIDs", "/budgets/asids" },
        { "MSI entries", "/budgets/msis" },
        { "Virtqueues", "/budgets/vqs" },
};

static uint64_t number(const HsvValue *budget, const char *pointer) {
        int64_t n;

        return hsv_value_integer(hsv_value_get(budget, pointer), &n) == 0 && n > 0 ? (uint64_t) n : 0;
}

/* What cannot be had counts as taken. */
static int print_bar(const Screen *s, const HsvValue *budget) {
        uint64_t total = number(budget, "/total"), taken = total - number(budget, "/free");
        _cleanup_free_ char *bar = NULL;
        Style style = bar_style(taken, total);

        if (!s->is_terminal || (s->width > 0 && s->width < BAR_MIN_SCREEN))
                return 0;
        if (hsv_value_kind(hsv_value_get(budget, "/total")) != HSV_KIND_INTEGER) {
                (void) fprintf(s->file, "%*s  ", BAR_WIDTH, "");
                return 0;
        }
        bar = bar_format(taken, total, BAR_WIDTH);
        if (!bar)
                return -ENOMEM;
        (void) fprintf(s->file, "%s%s%s  ", screen_style(s, style), bar, screen_plain(s, style));
        return 0;
}

static void print_more(const Screen *s, const HsvValue *budget, const char *pointer, const char *what) {
        uint64_t n = number(budget, pointer);

        if (n > 0)
                (void) fprintf(s->file, ", %" PRIu64 " %s", n, what);
}

static int print_numbers(const Screen *s, const HsvValue *budget) {
        _cleanup_free_ char *source = value_format(hsv_value_get(budget, "/source"), ",");
        _cleanup_free_ char *enforcer = value_format(hsv_value_get(budget, "/enforced_by"), ",");
        uint64_t used = number(budget, "/used");

        if (!source || !enforcer)
                return -ENOMEM;
        if (hsv_value_kind(hsv_value_get(budget, "/total")) == HSV_KIND_INTEGER)
                (void) fprintf(s->file, "%" PRIu64 " of %" PRIu64 " used, %" PRIu64 " free", used,
                               number(budget, "/total"), number(budget, "/free"));
        else
                (void) fprintf(s->file, "%" PRIu64 " used, no limit known", used);
        print_more(s, budget, "/reserved", "reserved");
        print_more(s, budget, "/quarantined", "in quarantine");
        (void) fprintf(s->file, " (%s, %s)\n", source, enforcer);
        return 0;
}

int budgets_print(const Screen *screen, const HsvValue *mgmtdev) {
        for (size_t i = 0; i < ELEMENTSOF(resources); i++) {
                const HsvValue *budget = hsv_value_get(mgmtdev, resources[i].pointer);

                if (hsv_value_kind(budget) != HSV_KIND_OBJECT)
                        continue;
                (void) fprintf(screen->file, "  %-13s", resources[i].title);
                if (print_bar(screen, budget) < 0 || print_numbers(screen, budget) < 0)
                        return -ENOMEM;
        }
        return 0;
}
