/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/yaml.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "util/macro.h"

/* YAML 1.1, which many readers still speak, takes these for something else than strings. */
static bool is_special(const char *text) {
        static const char *const words[] = { "y", "n", "yes", "no", "true", "false", "on", "off", "null" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcasecmp(text, words[i]) == 0)
                        return true;
        return false;
}

/* Letters and slashes begin neither a number nor a date. What libyaml must quote it quotes by itself. */
static bool can_be_plain(const char *text) {
        bool is_letter = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z');

        return (is_letter || text[0] == '/') && !is_special(text);
}

/* All of these return false when out of memory. */
static bool emit_value(yaml_emitter_t *emitter, const json_t *value);

static bool emit_scalar(yaml_emitter_t *emitter, const char *text, size_t n, bool is_plain) {
        yaml_scalar_style_t style = is_plain ? YAML_PLAIN_SCALAR_STYLE : YAML_SINGLE_QUOTED_SCALAR_STYLE;
        yaml_event_t event;

        return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *) text, (int) n, is_plain, true,
                                            style) &&
               yaml_emitter_emit(emitter, &event);
}

static bool emit_string(yaml_emitter_t *emitter, const char *text) {
        return emit_scalar(emitter, text, strlen(text), can_be_plain(text));
}

/* Numbers and the three words are written as in JSON. */
static bool emit_literal(yaml_emitter_t *emitter, const json_t *value) {
        _cleanup_free_ char *text = json_dumps(value, JSON_ENCODE_ANY);

        return text && emit_scalar(emitter, text, strlen(text), true);
}

static bool emit_array(yaml_emitter_t *emitter, const json_t *array) {
        yaml_event_t event;
        json_t *value;
        size_t i;

        if (!yaml_sequence_start_event_initialize(&event, NULL, NULL, true, YAML_BLOCK_SEQUENCE_STYLE) ||
            !yaml_emitter_emit(emitter, &event))
                return false;
        json_array_foreach(array, i, value) {
                if (!emit_value(emitter, value))
                        return false;
        }
        return yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static bool emit_object(yaml_emitter_t *emitter, const json_t *object) {
        yaml_event_t event;
        const char *key;
        json_t *value;

        if (!yaml_mapping_start_event_initialize(&event, NULL, NULL, true, YAML_BLOCK_MAPPING_STYLE) ||
            !yaml_emitter_emit(emitter, &event))
                return false;
        json_object_foreach((json_t *) object, key, value) {
                if (!emit_string(emitter, key) || !emit_value(emitter, value))
                        return false;
        }
        return yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

/* Goes as deep as the document, which jansson's parser bounds. */
static bool emit_value(yaml_emitter_t *emitter, const json_t *value) {
        if (json_is_object(value))
                return emit_object(emitter, value);
        if (json_is_array(value))
                return emit_array(emitter, value);
        if (json_is_string(value))
                return emit_string(emitter, json_string_value(value));
        return emit_literal(emitter, value);
}

static int on_output(void *userdata, unsigned char *data, size_t n) {
        return fwrite(data, 1, n, userdata) == n;
}

static bool emit_document(yaml_emitter_t *emitter, const json_t *value) {
        yaml_event_t event;

        return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
               yaml_emitter_emit(emitter, &event) &&
               yaml_document_start_event_initialize(&event, NULL, NULL, NULL, true) &&
               yaml_emitter_emit(emitter, &event) && emit_value(emitter, value) &&
               yaml_document_end_event_initialize(&event, true) && yaml_emitter_emit(emitter, &event) &&
               yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static bool emit(FILE *file, const json_t *value) {
        yaml_emitter_t emitter;
        bool ok;

        if (!yaml_emitter_initialize(&emitter))
                return false;
        yaml_emitter_set_output(&emitter, on_output, file);
        yaml_emitter_set_unicode(&emitter, 1);
        /* Never folded: one line, one value, for those who grep. */
        yaml_emitter_set_width(&emitter, -1);
        ok = emit_document(&emitter, value);
        yaml_emitter_delete(&emitter);
        return ok;
}

char *yaml_from_json(const char *json) {
        json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
        char *text = NULL;
        size_t size;
        FILE *file;
        bool ok;

        file = value ? open_memstream(&text, &size) : NULL;
        ok = file && emit(file, value);
        json_decref(value);
        if (file && fclose(file) == 0 && ok)
                return text;
        free(text);
        return NULL;
}
