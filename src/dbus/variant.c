/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/variant.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int append_value(sd_bus_message *m, json_t *value);

int variant_append_object(sd_bus_message *m, json_t *object) {
        const char *key;
        json_t *value;
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r < 0)
                return r;
        json_object_foreach(object, key, value) {
                if (json_is_null(value))
                        continue;
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv");
                if (r < 0)
                        return r;
                r = sd_bus_message_append_basic(m, SD_BUS_TYPE_STRING, key);
                if (r < 0)
                        return r;
                r = append_value(m, value);
                if (r < 0)
                        return r;
                r = sd_bus_message_close_container(m);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

static int append_array(sd_bus_message *m, json_t *array) {
        json_t *value;
        size_t i;
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "v");
        if (r < 0)
                return r;
        json_array_foreach(array, i, value) {
                r = append_value(m, value);
                if (r < 0)
                        return r;
        }

        return sd_bus_message_close_container(m);
}

static int append_container(sd_bus_message *m, json_t *value) {
        bool is_object = json_is_object(value);
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_VARIANT, is_object ? "a{sv}" : "av");
        if (r < 0)
                return r;
        r = is_object ? variant_append_object(m, value) : append_array(m, value);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

/* As a variant. */
static int append_value(sd_bus_message *m, json_t *value) {
        switch (json_typeof(value)) {
        case JSON_OBJECT:
        case JSON_ARRAY:
                return append_container(m, value);
        case JSON_STRING:
                return sd_bus_message_append(m, "v", "s", json_string_value(value));
        case JSON_INTEGER:
                return sd_bus_message_append(m, "v", "x", (int64_t) json_integer_value(value));
        case JSON_REAL:
                return sd_bus_message_append(m, "v", "d", json_real_value(value));
        case JSON_TRUE:
        case JSON_FALSE:
                return sd_bus_message_append(m, "v", "b", json_is_true(value));
        case JSON_NULL:
                return sd_bus_message_append(m, "v", "g", "");
        }

        return -EINVAL;
}

int variant_append_strings(sd_bus_message *m, const json_t *object) {
        const char *key;
        json_t *value;
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{ss}");
        if (r < 0)
                return r;
        /* The library's macro does not take a const one. */
        json_object_foreach((json_t *) object, key, value) {
                r = sd_bus_message_append(m, "{ss}", key, json_string_value(value));
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(m);
}

int variant_append_object_new(sd_bus_message *m, json_t *object) {
        _cleanup_json_ json_t *owned = object;

        return owned ? variant_append_object(m, owned) : -ENOMEM;
}

/* One walk over what a client has sent. */
typedef struct Reader {
        sd_bus_message *message;
        size_t n_values;
        unsigned depth;
} Reader;

/* What each of these reads may be NULL with 0: a fault was added. */
static int read_value(Reader *r, JsonDecoder *d, json_t **ret);

/* Says it once, and reads on to the end of the message. */
static int skip_excess(Reader *r, JsonDecoder *d) {
        if (r->n_values == VARIANT_VALUES_MAX + 1)
                json_fault(d, NULL, "too-many", "there are too many values");
        return sd_bus_message_skip(r->message, NULL);
}

static int skip(Reader *r, JsonDecoder *d, const char *code, const char *detail) {
        json_fault(d, NULL, code, "%s", detail);
        return sd_bus_message_skip(r->message, NULL);
}

static int made(json_t *value, json_t **ret) {
        if (!value)
                return -ENOMEM;
        *ret = value;
        return 0;
}

static int read_string(Reader *r, JsonDecoder *d, char type, json_t **ret) {
        const char *text;
        int k;

        k = sd_bus_message_read_basic(r->message, type, &text);
        if (k < 0)
                return k;
        if (strlen(text) > VARIANT_STRING_MAX) {
                json_fault(d, NULL, "too-long", "must have %d bytes at the most", VARIANT_STRING_MAX);
                return 0;
        }
        return made(json_string(text), ret);
}

static int read_integer(Reader *r, JsonDecoder *d, char type, json_t **ret) {
        union {
                uint8_t y;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
        } v;
        json_int_t value = 0;
        int k;

        k = sd_bus_message_read_basic(r->message, type, &v);
        if (k < 0)
                return k;
        if (type == SD_BUS_TYPE_UINT64 && v.t > INT64_MAX) {
                json_fault(d, NULL, "out-of-range", "must be %lld at the most", (long long) INT64_MAX);
                return 0;
        }

        switch (type) {
        case SD_BUS_TYPE_BYTE:
                value = v.y;
                break;
        case SD_BUS_TYPE_INT16:
                value = v.n;
                break;
        case SD_BUS_TYPE_UINT16:
                value = v.q;
                break;
        case SD_BUS_TYPE_INT32:
                value = v.i;
                break;
        case SD_BUS_TYPE_UINT32:
                value = v.u;
                break;
        default:
                value = v.x;
        }
        return made(json_integer(value), ret);
}

static int read_boolean(Reader *r, json_t **ret) {
        int value, k;

        k = sd_bus_message_read_basic(r->message, SD_BUS_TYPE_BOOLEAN, &value);
        return k < 0 ? k : made(json_boolean(value), ret);
}

static int read_real(Reader *r, JsonDecoder *d, json_t **ret) {
        json_t *number;
        double value;
        int k;

        k = sd_bus_message_read_basic(r->message, SD_BUS_TYPE_DOUBLE, &value);
        if (k < 0)
                return k;
        number = json_real(value);
        if (!number) {
                json_fault(d, NULL, "out-of-range", "must be a finite number");
                return 0;
        }
        *ret = number;
        return 0;
}

static int read_null(Reader *r, JsonDecoder *d, json_t **ret) {
        const char *signature;
        int k;

        k = sd_bus_message_read_basic(r->message, SD_BUS_TYPE_SIGNATURE, &signature);
        if (k < 0)
                return k;
        if (*signature) {
                json_fault(d, NULL, "wrong-type", "a signature stands for null, and must be empty");
                return 0;
        }
        return made(json_null(), ret);
}

static int read_variant(Reader *r, JsonDecoder *d, const char *contents, json_t **ret) {
        int k;

        k = sd_bus_message_enter_container(r->message, SD_BUS_TYPE_VARIANT, contents);
        if (k < 0)
                return k;
        k = read_value(r, d, ret);
        if (k < 0)
                return k;
        return sd_bus_message_exit_container(r->message);
}

static int read_array(Reader *r, JsonDecoder *d, const char *contents, json_t **ret) {
        _cleanup_json_ json_t *array = json_array();
        int k;

        if (!array)
                return -ENOMEM;
        k = sd_bus_message_enter_container(r->message, SD_BUS_TYPE_ARRAY, contents);
        if (k < 0)
                return k;
        for (size_t i = 0; (k = sd_bus_message_at_end(r->message, false)) == 0; i++) {
                json_t *value = NULL;
                JsonDecoder item;
                char index[24];

                (void) snprintf(index, sizeof index, "%zu", i);
                json_decoder_enter(&item, d, index);
                k = read_value(r, &item, &value);
                if (k < 0)
                        return k;
                if (value && json_array_append_new(array, value) < 0)
                        return -ENOMEM;
        }
        if (k < 0)
                return k;

        *ret = TAKE_PTR(array);
        return sd_bus_message_exit_container(r->message);
}

/* A member of a dictionary; entry: "sv", or the like. */
static int read_member(Reader *r, JsonDecoder *d, const char *entry, json_t *object) {
        json_t *value = NULL;
        JsonDecoder member;
        const char *key;
        int k;

        k = sd_bus_message_enter_container(r->message, SD_BUS_TYPE_DICT_ENTRY, entry);
        if (k < 0)
                return k;
        k = sd_bus_message_read_basic(r->message, SD_BUS_TYPE_STRING, &key);
        if (k < 0)
                return k;
        json_decoder_enter(&member, d, key);
        if (json_object_get(object, key))
                json_fault(&member, NULL, "duplicate", "is there twice");
        k = read_value(r, &member, &value);
        if (k < 0)
                return k;
        if (value && json_object_set_new(object, key, value) < 0)
                return -ENOMEM;
        return sd_bus_message_exit_container(r->message);
}

/* contents: "{sv}", or the like. */
static int read_dictionary(Reader *r, JsonDecoder *d, const char *contents, json_t **ret) {
        _cleanup_json_ json_t *object = json_object();
        _cleanup_free_ char *entry = strndup(contents + 1, strlen(contents) - 2);
        int k;

        if (!object || !entry)
                return -ENOMEM;
        if (entry[0] != SD_BUS_TYPE_STRING)
                return skip(r, d, "wrong-type", "must have strings for keys");
        k = sd_bus_message_enter_container(r->message, SD_BUS_TYPE_ARRAY, contents);
        if (k < 0)
                return k;
        while ((k = sd_bus_message_at_end(r->message, false)) == 0) {
                k = read_member(r, d, entry, object);
                if (k < 0)
                        return k;
        }
        if (k < 0)
                return k;

        *ret = TAKE_PTR(object);
        return sd_bus_message_exit_container(r->message);
}

static int read_container(Reader *r, JsonDecoder *d, char type, const char *contents, json_t **ret) {
        int k;

        if (r->depth == VARIANT_DEPTH_MAX)
                return skip(r, d, "too-deep", "containers are nested too deeply");

        r->depth++;
        if (type == SD_BUS_TYPE_VARIANT)
                k = read_variant(r, d, contents, ret);
        else if (contents[0] == SD_BUS_TYPE_DICT_ENTRY_BEGIN)
                k = read_dictionary(r, d, contents, ret);
        else
                k = read_array(r, d, contents, ret);
        r->depth--;
        return k;
}

static int read_value(Reader *r, JsonDecoder *d, json_t **ret) {
        const char *contents;
        char type;
        int k;

        k = sd_bus_message_peek_type(r->message, &type, &contents);
        if (k < 0)
                return k;
        if (++r->n_values > VARIANT_VALUES_MAX)
                return skip_excess(r, d);

        switch (type) {
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
                return read_string(r, d, type, ret);
        case SD_BUS_TYPE_BYTE:
        case SD_BUS_TYPE_INT16:
        case SD_BUS_TYPE_UINT16:
        case SD_BUS_TYPE_INT32:
        case SD_BUS_TYPE_UINT32:
        case SD_BUS_TYPE_INT64:
        case SD_BUS_TYPE_UINT64:
                return read_integer(r, d, type, ret);
        case SD_BUS_TYPE_BOOLEAN:
                return read_boolean(r, ret);
        case SD_BUS_TYPE_DOUBLE:
                return read_real(r, d, ret);
        case SD_BUS_TYPE_SIGNATURE:
                return read_null(r, d, ret);
        case SD_BUS_TYPE_VARIANT:
        case SD_BUS_TYPE_ARRAY:
                return read_container(r, d, type, contents, ret);
        default:
                return skip(r, d, "wrong-type", "cannot be a value of this D-Bus type");
        }
}

int variant_read_object(sd_bus_message *m, JsonDecoder *d, json_t **ret) {
        Reader r = { .message = m };

        return read_dictionary(&r, d, "{sv}", ret);
}
