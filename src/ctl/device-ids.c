/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/device-ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"
#include "util/macro.h"

/* Holders that stand next to each other, with IDs that do so too. */
typedef struct Run {
        const char *holder;  /* "vq" */
        int64_t first, last; /* of the holders; -1 if they have no number */
        int64_t first_id, last_id;
} Run;

static void print_range(FILE *file, int64_t first, int64_t last) {
        (void) fprintf(file, "%" PRId64, first);
        if (last != first)
                (void) fprintf(file, "-%" PRId64, last);
}

static void print_run(FILE *file, const Run *run, bool is_first) {
        (void) fprintf(file, "%s%s", is_first ? "" : ", ", run->holder);
        if (run->first >= 0) {
                (void) fputc(' ', file);
                print_range(file, run->first, run->last);
        }
        (void) fputs(": ", file);
        print_range(file, run->first_id, run->last_id);
}

static bool extends(const Run *run, const Run *next) {
        return strcmp(run->holder, next->holder) == 0 && run->first >= 0 && next->first == run->last + 1 &&
               next->first_id == run->last_id + 1;
}

/* One element: who holds which ID. */
static Run read_element(const HsvValue *element, const char *holder, const char *holder_pointer,
                        const char *id_pointer) {
        Run run = { .holder = holder, .first = -1, .first_id = -1 };

        if (hsv_value_integer(hsv_value_get(element, holder_pointer), &run.first) < 0)
                run.holder = "config";
        (void) hsv_value_integer(hsv_value_get(element, id_pointer), &run.first_id);
        run.last = run.first;
        run.last_id = run.first_id;
        return run;
}

static void print_ids(FILE *file, const HsvValue *array, const char *holder, const char *holder_pointer,
                      const char *id_pointer) {
        size_t n = hsv_value_count(array);
        bool is_first = true;
        Run run = {};

        for (size_t i = 0; i < n; i++) {
                Run next = read_element(hsv_value_at(array, i), holder, holder_pointer, id_pointer);

                if (i > 0 && extends(&run, &next)) {
                        run.last = next.last;
                        run.last_id = next.last_id;
                        continue;
                }
                if (i > 0) {
                        print_run(file, &run, is_first);
                        is_first = false;
                }
                run = next;
        }
        if (n > 0)
                print_run(file, &run, is_first);
        else
                (void) fputc('-', file);
}

static char *finish(FILE *file, char **text) {
        if (fclose(file) == 0)
                return *text;
        free(*text);
        return NULL;
}

char *device_format_asids(const HsvValue *asids) {
        const char *kind = hsv_value_string(hsv_value_get(asids, "/0/kind"));
        _cleanup_free_ char *escaped = text_escape(kind ?: "", false);
        char *text = NULL;
        size_t size;
        FILE *file = escaped ? open_memstream(&text, &size) : NULL;

        if (!file)
                return NULL;
        print_ids(file, asids, "group", "/group", "/asid");
        if (kind)
                (void) fprintf(file, " (%s)", escaped);
        return finish(file, &text);
}

char *device_format_msis(const HsvValue *msis) {
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return NULL;
        print_ids(file, msis, "vq", "/vq", "/entry");
        return finish(file, &text);
}

static void print_groups(FILE *file, const HsvValue *groups) {
        int64_t n = (int64_t) hsv_value_count(groups), first = 0;

        for (int64_t vq = 0; vq < n; vq++) {
                int64_t group = -1, next = -1;

                (void) hsv_value_integer(hsv_value_at(groups, (size_t) vq), &group);
                if (vq + 1 < n)
                        (void) hsv_value_integer(hsv_value_at(groups, (size_t) vq + 1), &next);
                if (next == group)
                        continue;
                (void) fputs(first > 0 ? ", vq " : "vq ", file);
                print_range(file, first, vq);
                (void) fprintf(file, ": group %" PRId64, group);
                first = vq + 1;
        }
}

char *device_format_groups(const HsvValue *groups) {
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return NULL;
        print_groups(file, groups);
        return finish(file, &text);
}
