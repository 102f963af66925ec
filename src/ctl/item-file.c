/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Items out of JSON, value by value: a stream of them may come through a pipe, and has no end mark. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "ctl/item.h"

/* Members of a device that say how it is, and not what it shall be. */
static const char *const passed_over[] = { "revision", "generation", "created", "status" };

typedef struct Reader {
        ItemList *list;
        const char *path;
        FILE *file;
        const json_t *defaults;
        size_t n; /* items read */
} Reader;

static void close_file(FILE **file) {
        if (*file && *file != stdin)
                (void) fclose(*file);
}

static void unref_json(json_t **json) {
        json_decref(*json);
}

static ExitCode complain(const Reader *reader, const char *what) {
        return report_usage("%s: item %zu: %s", reader->path, reader->n, what);
}

static bool is_passed_over(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(passed_over); i++)
                if (strcmp(passed_over[i], key) == 0)
                        return true;
        return false;
}

/* Returns NULL, or what is wrong with the members of an object. */
static const char *find_fault(const json_t *object) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) object, key, value) {
                if (strcmp(key, "name") == 0 || strcmp(key, "uid") == 0) {
                        if (!json_is_string(value))
                                return "\"name\" and \"uid\" must be strings";
                } else if (strcmp(key, "spec") == 0) {
                        if (!json_is_object(value))
                                return "\"spec\" must be an object";
                } else if (!is_passed_over(key))
                        return "it has a member that no device has";
        }
        return json_object_get(object, "name") || json_object_get(object, "spec") ? NULL
                                                                                  : "it has neither name nor spec";
}

/* The defaults, with what spec says over them, as text; NULL when out of memory. */
static char *merge_spec(const json_t *defaults, const json_t *spec) {
        _cleanup_(unref_json) json_t *merged = defaults ? json_deep_copy(defaults) : json_object();

        if (!merged || (spec && json_object_update_recursive(merged, (json_t *) spec) < 0))
                return NULL;
        return json_dumps(merged, JSON_COMPACT);
}

static ExitCode add(Reader *reader, const char *name, const json_t *spec, const char *uid) {
        _cleanup_free_ char *text = merge_spec(reader->defaults, spec);
        int r;

        r = text ? item_list_add(reader->list, name, text, uid) : -ENOMEM;
        if (r == -ENOSPC)
                return complain(reader, "there are too many");
        return r < 0 ? report_oom() : EXIT_CODE_OK;
}

static ExitCode take_item(Reader *reader, const json_t *value) {
        const char *fault;

        reader->n++;
        if (json_is_string(value))
                return add(reader, json_string_value(value), NULL, NULL);
        if (!json_is_object(value))
                return complain(reader, "it is neither an object nor a name");
        fault = find_fault(value);
        if (fault)
                return complain(reader, fault);
        return add(reader, json_string_value(json_object_get(value, "name")), json_object_get(value, "spec"),
                   json_string_value(json_object_get(value, "uid")));
}

/* The array in value, if it stands for several items. */
static const json_t *find_array(const json_t *value) {
        const json_t *items = json_object_get(value, "items");

        if (!items)
                items = json_object_get(value, "devices");
        if (json_is_array(value))
                items = value;
        return json_is_array(items) ? items : NULL;
}

static ExitCode take_value(Reader *reader, const json_t *value) {
        const json_t *array = find_array(value);
        ExitCode code = EXIT_CODE_OK;
        const json_t *element;
        size_t i;

        if (!array)
                return take_item(reader, value);
        json_array_foreach(array, i, element) {
                code = take_item(reader, element);
                if (code != EXIT_CODE_OK)
                        break;
        }
        return code;
}

/* False at the end of the file. */
static bool skip_blanks(FILE *file) {
        int c;

        do
                c = getc(file);
        while (c == ' ' || c == '\t' || c == '\r' || c == '\n');
        return ungetc(c, file) != EOF;
}

static ExitCode read_values(Reader *reader) {
        ExitCode code = EXIT_CODE_OK;

        while (code == EXIT_CODE_OK && skip_blanks(reader->file)) {
                _cleanup_(unref_json) json_t *value = NULL;
                json_error_t error;

                value = json_loadf(reader->file, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY,
                                   &error);
                if (!value)
                        return report_usage("%s: after item %zu: %s", reader->path, reader->n, error.text);
                code = take_value(reader, value);
        }
        if (code == EXIT_CODE_OK && ferror(reader->file))
                return report_usage("%s: %s", reader->path, strerror(errno));
        return code;
}

ExitCode item_list_read(ItemList *list, const char *path, const json_t *defaults) {
        bool is_stdin = strcmp(path, "-") == 0;
        _cleanup_(close_file) FILE *file = is_stdin ? stdin : fopen(path, "re");
        Reader reader = {
                .list = list,
                .path = is_stdin ? "standard input" : path,
                .file = file,
                .defaults = defaults,
        };

        if (!file)
                return report_usage("%s: %s", path, strerror(errno));
        return read_values(&reader);
}
