/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/bulk.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <string.h>

#include "ctl/number.h"
#include "ctl/output.h"
#include "ctl/patience.h"
#include "ctl/progress.h"
#include "ctl/text.h"

/* Above this there is progress to show, and on a terminal they are not told one by one, unless they fail. */
#define TOLD_MAX 20

typedef struct Bulk {
        Context *context;
        const BulkVerb *verb;
        const ItemList *items;
        const BulkOptions *options;
        bool is_quiet; /* a bar tells enough of those that work */

        /* The threads share what follows, and both screens. */
        pthread_mutex_t lock;
        size_t next; /* item to begin with */
        size_t n_ok;
        size_t n_failed;
        ExitCode first_failure;
        const char *last_hint; /* not given again right after itself */
        char **results;        /* by item, as JSON, for a document; else NULL */
        Progress progress;
} Bulk;

ExitCode bulk_options_parse(const Arguments *arguments, BulkOptions *ret) {
        const char *text = arguments_get(arguments, "jobs");
        uint64_t jobs = JOBS_DEFAULT;

        if (text && (!number_parse(text, 10, JOBS_MAX, &jobs) || jobs == 0))
                return report_usage("--jobs: '%s' is not a number from 1 to %d", text, JOBS_MAX);
        *ret = (BulkOptions){ .jobs = (unsigned) jobs, .waits = arguments_has(arguments, "wait") };
        return EXIT_CODE_OK;
}

static void result_done(Result *result) {
        hsv_document_free(result->document);
}

/* The text of a JSON value, which is taken over; NULL when out of memory. */
static char *encode(json_t *value) {
        char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

        json_decref(value);
        return text;
}

static char *format_success(const Item *item, const Result *result) {
        const HsvValue *device = hsv_document_root(result->document);
        const char *name = hsv_value_string(hsv_value_get(device, "/name"));
        _cleanup_free_ char *quoted = text_quote(name ?: item->name), *text = NULL;

        if (!quoted)
                return NULL;
        if (!device)
                return text_format("{\"name\":%s,\"status\":%u}", quoted, result->status);
        text = hsv_value_encode(device);
        return text ? text_format("{\"name\":%s,\"status\":%u,\"device\":%s}", quoted, result->status, text) : NULL;
}

static json_t *encode_faults(const HsvError *error) {
        json_t *faults = json_array();

        for (size_t i = 0; i < hsv_error_count_faults(error); i++)
                (void) json_array_append_new(faults, json_pack("{s:s, s:s, s:s}", "pointer",
                                                               hsv_error_fault_pointer(error, i), "code",
                                                               hsv_error_fault_code(error, i), "detail",
                                                               hsv_error_fault_detail(error, i)));
        return faults;
}

/* As the daemon's own problem documents; status is 0 and code "no-answer" if there was no answer. */
static char *format_failure(const Item *item, const HsvError *error) {
        const char *code = hsv_error_code(error);
        unsigned status = hsv_error_http_status(error);

        return encode(json_pack("{s:s?, s:i, s:s, s:s, s:o}", "name", item->name, "status", (int) status, "code",
                                status == 0 ? "no-answer" : code, "detail", hsv_error_detail(error), "errors",
                                encode_faults(error)));
}

static ExitCode report_item(Bulk *b, const Item *item, const HsvError *error, int r) {
        _cleanup_free_ char *subject = text_format("device %s", item->name ?: b->verb->name);
        ExitCode code;

        if (!subject)
                return report_oom();
        code = report_print(stderr, error, r, subject, &b->last_hint);
        if (code == EXIT_CODE_NO_ANSWER)
                (void) fputs("Whether it was done is not known: look with 'hsvdpactl device list'.\n", stderr);
        return code;
}

/* What follows runs with the lock held. */

static ExitCode take_success(Bulk *b, size_t i, const Result *result) {
        const Item *item = &b->items->item[i];
        ExitCode code = EXIT_CODE_OK;

        b->n_ok++;
        if (b->results) {
                b->results[i] = format_success(item, result);
                return b->results[i] ? EXIT_CODE_OK : report_oom();
        }
        if (format_is_document(b->context->format))
                return result->document ? output_document(b->context, hsv_document_text(result->document))
                                        : EXIT_CODE_OK;
        if (!b->is_quiet) {
                progress_hide(&b->progress);
                code = b->verb->show(&b->context->screen, item, result);
                /* At once, to keep the order with what goes to standard error. */
                (void) fflush(b->context->screen.file);
        }
        return code;
}

static ExitCode take_failure(Bulk *b, size_t i, const HsvError *error, int r, bool is_over) {
        const Item *item = &b->items->item[i];
        ExitCode code;

        b->n_failed++;
        progress_hide(&b->progress);
        code = report_item(b, item, error, r);
        if (is_over)
                code = EXIT_CODE_TIMEOUT;
        if (b->results) {
                b->results[i] = format_failure(item, error);
                if (!b->results[i])
                        code = report_oom();
        }
        return code;
}

static void take_code(Bulk *b, ExitCode code, bool is_last) {
        if (b->first_failure == EXIT_CODE_OK)
                b->first_failure = code;
        if (is_last)
                b->next = b->items->n;
}

/* What runs in the threads. */

static void work_item(Bulk *b, HsvClient *client, size_t i) {
        const Item *item = &b->items->item[i];
        Patience patience = patience_begin(b->options->waits, b->context->timeout_seconds);
        _cleanup_(result_done) Result result = {};
        bool can_repeat = b->verb->can_repeat(item, b->options->flags);
        const HsvError *error;
        ExitCode code;
        int r;

        do {
                r = b->verb->call(client, item, b->options->flags, &result);
                error = hsv_client_last_error(client);
        } while (r != 0 && patience_again(&patience, error, r, can_repeat));

        (void) pthread_mutex_lock(&b->lock);
        code = r == 0 ? take_success(b, i, &result)
                      : take_failure(b, i, error, r, b->options->waits && patience_is_over(&patience));
        /* The others would fare no better. */
        take_code(b, code, code == EXIT_CODE_UNREACHABLE || code == EXIT_CODE_LOCAL);
        if (b->items->n > TOLD_MAX)
                progress_step(&b->progress, r == 0);
        (void) pthread_mutex_unlock(&b->lock);
}

/* Returns false when all are taken. */
static bool take_next(Bulk *b, size_t *ret) {
        bool ok;

        (void) pthread_mutex_lock(&b->lock);
        ok = b->next < b->items->n;
        if (ok)
                *ret = b->next++;
        (void) pthread_mutex_unlock(&b->lock);
        return ok;
}

static void work_items(Bulk *b, HsvClient *client) {
        size_t i = 0;

        while (take_next(b, &i))
                work_item(b, client, i);
}

static void *work_thread(void *userdata) {
        Bulk *b = userdata;
        HsvClient *client;

        /* The first thread is there in any case, so that the work is done. */
        if (context_new_client(b->context, &client) < 0)
                return NULL;
        work_items(b, client);
        hsv_client_free(client);
        return NULL;
}

static void work(Bulk *b) {
        pthread_t threads[JOBS_MAX];
        size_t n = 0;

        while (n + 1 < b->options->jobs && n + 1 < b->items->n &&
               pthread_create(&threads[n], NULL, work_thread, b) == 0)
                n++;
        work_items(b, b->context->client);
        while (n > 0)
                (void) pthread_join(threads[--n], NULL);
}

static ExitCode print_results(Bulk *b) {
        char *text = NULL;
        ExitCode code;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return report_oom();
        (void) fputs("{\"results\":[", file);
        for (size_t i = 0; i < b->items->n; i++)
                (void) fprintf(file, "%s%s", i > 0 ? "," : "",
                               b->results[i] ?: "{\"status\":0,\"code\":\"not-tried\"}");
        (void) fputs("]}", file);
        code = fclose(file) == 0 ? output_document(b->context, text) : report_oom();
        free(text);
        return code;
}

static void print_summary(Bulk *b) {
        size_t n_left = b->items->n - b->n_ok - b->n_failed;

        progress_hide(&b->progress);
        if (!b->options->is_many || (b->n_failed == 0 && !b->is_quiet))
                return;
        (void) fprintf(stderr, "hsvdpactl: %zu %s", b->n_ok, b->verb->participle);
        if (b->n_failed > 0)
                (void) fprintf(stderr, ", %zu failed", b->n_failed);
        if (n_left > 0)
                (void) fprintf(stderr, ", %zu not tried", n_left);
        (void) fputs(".\n", stderr);
}

static ExitCode finish(Bulk *b) {
        ExitCode code = EXIT_CODE_OK;

        print_summary(b);
        if (b->results)
                code = print_results(b);
        if (code != EXIT_CODE_OK)
                return code;
        return b->n_ok > 0 && b->n_failed > 0 ? EXIT_CODE_PARTIAL : b->first_failure;
}

ExitCode bulk_run(Context *context, const BulkVerb *verb, const ItemList *items, const BulkOptions *options) {
        bool has_bar = context->error.is_terminal && context->screen.is_terminal && items->n > TOLD_MAX;
        Bulk b = {
                .context = context,
                .verb = verb,
                .items = items,
                .options = options,
                .is_quiet = has_bar && !format_is_document(context->format),
                .lock = PTHREAD_MUTEX_INITIALIZER,
        };
        ExitCode code;

        progress_init(&b.progress, &context->error, verb->participle, items->n);
        if (options->is_many && format_is_document(context->format)) {
                b.results = calloc(items->n + 1, sizeof *b.results);
                if (!b.results)
                        return report_oom();
        }
        work(&b);
        code = finish(&b);
        for (size_t i = 0; b.results && i < items->n; i++)
                free(b.results[i]);
        free(b.results);
        return code;
}
