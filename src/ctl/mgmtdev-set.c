/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl mgmtdev cordon, uncordon, set */

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "ctl/mgmtdev.h"
#include "ctl/number.h"
#include "ctl/output.h"
#include "ctl/text.h"

const Option mgmtdev_set_options[] = {
        { .name = "label", .argument = "KEY=VALUE", .help = "add or change a label; may be repeated" },
        { .name = "no-label", .argument = "KEY", .help = "remove a label; may be repeated" },
        { .name = "total",
          .argument = "RESOURCE=N",
          .help = "there are no more than so many (devices, asids, msis, vqs); \"default\": as many as are found" },
        { .name = "reserve",
          .argument = "RESOURCE=N|IDS",
          .help = "keep so many devices or vqs from use, or these asids or msis, such as 0-15,100; \"default\": "
                  "none" },
        {},
};

static bool has_ids(const char *resource) {
        return strcmp(resource, "asids") == 0 || strcmp(resource, "msis") == 0;
}

/* The object at key, made if it is not there; borrowed. NULL: out of memory. */
static json_t *enter(json_t *object, const char *key) {
        if (!json_object_get(object, key) && json_object_set_new(object, key, json_object()) < 0)
                return NULL;
        return json_object_get(object, key);
}

/* Sets object[key] to what text stands for: null for "default", a number, or the text. -EINVAL: no number. */
static int set_value(json_t *object, const char *key, const char *text, bool is_number) {
        uint64_t n;
        json_t *value;

        if (strcmp(text, "default") == 0)
                value = json_null();
        else if (!is_number)
                value = json_string(text);
        else if (number_parse(text, 10, UINT32_MAX, &n))
                value = json_integer((json_int_t) n);
        else
                return -EINVAL;
        return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
}

static ExitCode add_budget(json_t *patch, const char *option, const char *text) {
        const char *value = strchr(text, '=');
        _cleanup_free_ char *resource = value ? strndup(text, (size_t) (value - text)) : NULL;
        bool is_total = strcmp(option, "total") == 0, is_number;
        json_t *budget;
        int r;

        if (!value)
                return report_usage("mgmtdev set: --%s takes RESOURCE=%s, and not '%s'", option,
                                    is_total ? "N" : "N|IDS", text);
        if (!resource)
                return report_oom();
        budget = enter(enter(patch, "budgets"), resource);
        if (!budget)
                return report_oom();
        is_number = is_total || !has_ids(resource);
        r = set_value(budget, is_total ? "total" : is_number ? "reserved" : "reserved_ids", value + 1, is_number);
        if (r == -EINVAL)
                return report_usage("mgmtdev set: --%s: '%s' is not a number", option, value + 1);
        return r < 0 ? report_oom() : EXIT_CODE_OK;
}

static ExitCode add_label(json_t *patch, const char *option, const char *text) {
        const char *value = strchr(text, '=');
        bool is_removed = strcmp(option, "no-label") == 0;
        _cleanup_free_ char *key = NULL;
        json_t *labels = enter(patch, "labels");

        if (!is_removed && !value)
                return report_usage("mgmtdev set: --label takes KEY=VALUE, and not '%s'", text);
        key = is_removed ? strdup(text) : strndup(text, (size_t) (value - text));
        if (!key || !labels ||
            json_object_set_new(labels, key, is_removed ? json_null() : json_string(value + 1)) < 0)
                return report_oom();
        return EXIT_CODE_OK;
}

static ExitCode parse(const Arguments *arguments, json_t *patch) {
        ExitCode code = EXIT_CODE_OK;

        for (size_t i = 0; i < arguments->n_options && code == EXIT_CODE_OK; i++) {
                const char *name = arguments->options[i].option->name, *value = arguments->options[i].value;

                if (strcmp(name, "total") == 0 || strcmp(name, "reserve") == 0)
                        code = add_budget(patch, name, value);
                else if (strcmp(name, "label") == 0 || strcmp(name, "no-label") == 0)
                        code = add_label(patch, name, value);
        }
        return code;
}

/* patch is taken over; what: the word for what was done. */
static ExitCode update(Context *context, const Arguments *arguments, json_t *patch, const char *what) {
        const char *handle = arguments->operands[0];
        _cleanup_free_ char *subject = text_format("mgmtdev %s", handle), *escaped = text_escape(handle, false);
        _cleanup_free_ char *text = json_dumps(patch, JSON_COMPACT);
        _cleanup_(document_freep) HsvDocument *document = NULL;
        int r;

        json_decref(patch);
        if (!subject || !escaped || !text)
                return report_oom();
        r = hsv_mgmtdev_update(context->client, handle, text, 0, &document);
        if (r != 0)
                return report_failure(context->client, r, subject);
        if (format_is_document(context->format))
                return output_document(context, hsv_document_text(document));
        (void) fprintf(context->screen.file, "%s: %s\n", escaped, what);
        return EXIT_CODE_OK;
}

ExitCode mgmtdev_cordon(Context *context, const Arguments *arguments) {
        return update(context, arguments, json_pack("{s:b}", "cordoned", 1), "cordoned");
}

ExitCode mgmtdev_uncordon(Context *context, const Arguments *arguments) {
        return update(context, arguments, json_pack("{s:b}", "cordoned", 0), "not cordoned");
}

ExitCode mgmtdev_set(Context *context, const Arguments *arguments) {
        json_t *patch = json_object();
        ExitCode code = patch ? parse(arguments, patch) : report_oom();

        if (code == EXIT_CODE_OK && json_object_size(patch) == 0)
                code = report_usage("mgmtdev set: nothing is said to change");
        if (code != EXIT_CODE_OK) {
                json_decref(patch);
                return code;
        }
        return update(context, arguments, patch, "changed");
}
