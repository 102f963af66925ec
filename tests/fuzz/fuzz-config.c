/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The configuration: a file, drop-ins with names that are any text, and what is read is printed so that it reads
 * back the same. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/config.h"
#include "fuzz.h"
#include "util/log.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        log_open(LOG_EMERG);
        return 0;
}

static char *print(const Config *config) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        fuzz_expect(out);
        config_print(config, out);
        fuzz_expect(fclose(out) == 0);
        return text;
}

/* Without the comments that say where a value was set. */
static char *strip(const char *text) {
        char *copy = malloc(strlen(text) + 1), *out = copy;

        fuzz_expect(copy);
        while (*text) {
                size_t n = strcspn(text, "\n") + 1;

                if (text[0] != '#') {
                        memcpy(out, text, n);
                        out += n;
                }
                text += n;
        }
        *out = '\0';
        return copy;
}

static void check_round_trip(const Config *config) {
        _cleanup_free_ char *text = print(config), *again = NULL, *a = NULL, *b = NULL;
        _cleanup_(config_done) Config second;

        fuzz_write_file(fuzz_path("printed"), text, strlen(text));
        fuzz_expect(config_init(&second) == 0);
        fuzz_expect(config_read(&second, fuzz_path("printed")) == 0 && config_finish(&second) == 0);
        again = print(&second);
        a = strip(text);
        b = strip(again);
        fuzz_expect(strcmp(a, b) == 0);
        fuzz_expect(config_reload(&second, config) >= 0);
}

/* Of a drop-in the first line is the name; it stays in its directory. */
static void write_drop_in(const char *text) {
        char path[300];
        size_t n = strcspn(text, "\n");
        int k;

        if (n == 0 || n > 200 || memchr(text, '/', n))
                return;
        k = snprintf(path, sizeof path, "drop-ins/%.*s.conf", (int) n, text);
        if (k > 0)
                fuzz_write_file(fuzz_path(path), text + n, strlen(text + n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *directories[] = { fuzz_path("drop-ins"), NULL };
        _cleanup_(config_done) Config config;
        FuzzInput in = { data, size };
        int r, k = 0;

        fuzz_remove(fuzz_path("drop-ins"));
        fuzz_expect(mkdir(fuzz_path("drop-ins"), 0755) == 0);
        {
                _cleanup_free_ char *text = fuzz_take_text(&in);

                fuzz_write_file(fuzz_path("conf"), text, strlen(text));
        }
        for (unsigned i = 0; i < 3 && in.size > 0; i++) {
                _cleanup_free_ char *text = fuzz_take_text(&in);

                write_drop_in(text);
        }

        fuzz_expect(config_init(&config) == 0);
        r = config_read(&config, fuzz_path("conf"));
        fuzz_expect(r <= 0);
        k = config_read_drop_ins(&config, directories);
        fuzz_expect(k <= 0 && k != -ENOENT);
        if (r == 0 && k == 0 && config_finish(&config) == 0)
                check_round_trip(&config);
        return 0;
}
