/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

static int log_max_level = LOG_INFO;
static bool log_to_journal;

/* systemd sets JOURNAL_STREAM to the device and inode of the stream that it connected; a shell that has
 * redirected stderr since then leaves the variable behind, so compare. */
static bool stderr_is_journal(void) {
        unsigned long long device, inode;
        const char *e = getenv("JOURNAL_STREAM");
        struct stat st;

        if (!e || sscanf(e, "%llu:%llu", &device, &inode) != 2 || fstat(STDERR_FILENO, &st) < 0)
                return false;

        return st.st_dev == device && st.st_ino == inode;
}

void log_open(int max_level) {
        log_max_level = max_level;
        log_to_journal = stderr_is_journal();
}

int log_get_max_level(void) {
        return log_max_level;
}

int log_full(int level, int error, const char *field, const char *value, const char *format, ...) {
        char message[1024], extra[256] = "";
        va_list ap;

        if (error < 0)
                error = -error;
        if (level > log_max_level)
                return -error;

        errno = error;
        va_start(ap, format);
        (void) vsnprintf(message, sizeof message, format, ap);
        va_end(ap);

        if (!log_to_journal) {
                fprintf(stderr, "%s%s%s\n", value ? value : "", value ? ": " : "", message);
                return -error;
        }

        if (field)
                (void) snprintf(extra, sizeof extra, "%s=%s", field, value);
        (void) sd_journal_send("MESSAGE=%s%s%s", value ? value : "", value ? ": " : "", message, "PRIORITY=%i",
                               level, "ERRNO=%i", error, field ? "%s" : NULL, extra, NULL);
        return -error;
}
