/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/log.h"

#include <bsd/string.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
/* Every message would come from the one place here that sends it. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "util/clock.h"
#include "util/log-rate.h"

static int log_max_level = LOG_INFO; /* atomic: it changes while threads run */
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

void log_set_max_level(int max_level) {
        __atomic_store_n(&log_max_level, max_level, __ATOMIC_RELAXED);
}

void log_open(int max_level) {
        log_set_max_level(max_level);
        log_to_journal = stderr_is_journal();
}

int log_get_max_level(void) {
        return __atomic_load_n(&log_max_level, __ATOMIC_RELAXED);
}

/* Of the calling thread; "" for what there is not. */
static __thread struct { char mgmtdev[128], owner[260], request_id[LOG_REQUEST_ID_MAX]; } context;

void log_set_context(const char *mgmtdev, const char *owner, const char *request_id) {
        (void) strlcpy(context.mgmtdev, mgmtdev ?: "", sizeof context.mgmtdev);
        (void) strlcpy(context.owner, owner ?: "", sizeof context.owner);
        (void) strlcpy(context.request_id, request_id ?: "", sizeof context.request_id);
}

void log_clear_context(void) {
        context.mgmtdev[0] = context.owner[0] = context.request_id[0] = '\0';
}

const char *log_request_id(void) {
        return context.request_id;
}

#define FIELDS_MAX 8

/* A message on its way to the journal. */
typedef struct Entry {
        struct iovec fields[FIELDS_MAX];
        size_t n;
        char text[FIELDS_MAX][320];
} Entry;

static void add_field(Entry *entry, const char *name, const char *value) {
        char *text = entry->text[entry->n];

        if (!value || !value[0])
                return;
        (void) snprintf(text, sizeof entry->text[0], "%s=%s", name, value);
        entry->fields[entry->n++] = (struct iovec){ .iov_base = text, .iov_len = strlen(text) };
}

static void send_to_journal(int level, int error, const char *field, const char *value, char *message) {
        char number[16];
        Entry entry;

        entry.n = 0;
        entry.fields[entry.n++] = (struct iovec){ .iov_base = message, .iov_len = strlen(message) };
        (void) snprintf(number, sizeof number, "%d", level);
        add_field(&entry, "PRIORITY", number);
        (void) snprintf(number, sizeof number, "%d", error);
        add_field(&entry, "ERRNO", error > 0 ? number : NULL);
        if (field)
                add_field(&entry, field, value);
        /* What the message itself says counts. */
        if (!field || strcmp(field, "MGMTDEV") != 0)
                add_field(&entry, "MGMTDEV", context.mgmtdev);
        add_field(&entry, "OWNER", context.owner);
        add_field(&entry, "REQUEST_ID", context.request_id);
        (void) sd_journal_sendv(entry.fields, (int) entry.n);
}

#define MESSAGE "MESSAGE="

/* Of what the message is about, with the field's name; and of the message itself, with its NUL. */
#define PREFIX_MAX  320
#define MESSAGE_MAX 1024

static void send_message(int level, int error, const char *field, const char *value, char *message) {
        if (log_to_journal)
                send_to_journal(level, error, field, value, message);
        else
                fprintf(stderr, "%s\n", message + strlen(MESSAGE));
}

/* Whether the message may go out; says first how many like it did not. Changes of state are not counted: there are
 * no more of them than was asked for and done. */
static bool is_in_rate(int level, const char *format) {
        char message[PREFIX_MAX];
        unsigned n_omitted;

        if (level > LOG_WARNING)
                return true;
        if (!log_rate_allows(format, clock_monotonic_usec(), &n_omitted))
                return false;
        if (n_omitted > 0) {
                (void) snprintf(message, sizeof message, MESSAGE "%u messages like the next one were left out",
                                n_omitted);
                send_message(level, 0, NULL, NULL, message);
        }
        return true;
}

int log_full(int level, int error, const char *field, const char *value, const char *format, ...) {
        char message[PREFIX_MAX + MESSAGE_MAX] = MESSAGE;
        size_t n = strlen(MESSAGE);
        va_list ap;

        if (error < 0)
                error = -error;
        if (level > log_get_max_level() || !is_in_rate(level, format))
                return -error;

        if (value)
                n += (size_t) snprintf(message + n, PREFIX_MAX - n, "%.300s: ", value);
        errno = error;
        va_start(ap, format);
        (void) vsnprintf(message + n, MESSAGE_MAX, format, ap);
        va_end(ap);

        send_message(level, error, field, value, message);
        return -error;
}
