/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/batch-call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dbus/arguments.h"
#include "dbus/context.h"
#include "dbus/error.h"
#include "dbus/path.h"
#include "dbus/polkit.h"
#include "dbus/variant.h"
#include "inventory/spec-json.h"
#include "lifecycle/batch.h"

/* What became of an item. */
typedef struct Result {
        char name[DEVICE_NAME_MAX];
        char *path; /* NULL: there is no device */
        bool is_made;
        ErrorCode code;
        char *message; /* of a failure; NULL: there was no memory for it */
} Result;

struct BatchCall {
        BatchKind kind;
        bool missing_ok;
        size_t n;
        IdempotencyKey key;
        json_t *asked;    /* owned: names and what goes with them, for the digest of a request with a key */
        BatchItem *items; /* until they are begun */
        Result *results;  /* as many */
};

BatchCall *batch_call_free(BatchCall *batch) {
        if (!batch)
                return NULL;

        for (size_t i = 0; batch->results && i < batch->n; i++) {
                free(batch->results[i].path);
                free(batch->results[i].message);
        }
        free(batch->results);
        json_decref(batch->asked);
        if (batch->items)
                batch_items_free(batch->items, batch->n);
        free(batch);
        return NULL;
}
DEFINE_CLEANUP(BatchCall *, batch_call_free)

static void on_item(void *userdata, size_t i, const char *name, const Outcome *outcome) {
        const Call *call = userdata;
        Result *result = &call->batch->results[i];
        ErrorCode code = outcome->failure.code;

        (void) snprintf(result->name, sizeof result->name, "%s", name);
        if (code == ERROR_DEVICE_NOT_FOUND && call->batch->missing_ok)
                code = ERROR_NONE;
        result->code = code;
        result->is_made = outcome->created;
        if (code != ERROR_NONE)
                result->message = error_format_outcome(outcome);
        else if (outcome->device)
                result->path = path_of_device(outcome->device->name);
}

static int append_result(sd_bus_message *m, const Result *result) {
        char error[ERROR_NAME_MAX] = "";

        if (result->code != ERROR_NONE)
                error_name(result->code, error);
        return sd_bus_message_append(m, "(sobss)", result->name, result->path ?: "/", result->is_made, error,
                                     result->code == ERROR_NONE ? "" : result->message ?: "Out of memory");
}

static void on_end(void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(call_freep) Call *call = userdata;
        int r;

        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(sobss)");
        for (size_t i = 0; r >= 0 && i < call->batch->n; i++)
                r = append_result(reply, &call->batch->results[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        call_answer(call, reply, r);
}

static int set_key(Call *call, Failure *f) {
        const BatchCall *batch = call->batch;

        if (!batch->key.text[0])
                return 0;
        if (batch->kind == BATCH_CREATE_ATOMIC)
                return failure_set(f, ERROR_NOT_IMPLEMENTED, EOPNOTSUPP,
                                   "idempotency-key is not implemented for atomic batches");
        return batch_set_key(call->bus->lifecycle, batch->items, batch->n, &batch->key, f);
}

static void run(Call *call) {
        const BatchCalls calls = { .on_item = on_item, .on_end = on_end, .userdata = call };
        BatchCall *batch = call->batch;
        Outcome outcome = {};

        if (set_key(call, &outcome.failure) >= 0 &&
            batch_run(call->bus->lifecycle, batch->kind, batch->items, batch->n, &calls, &outcome.failure) >= 0) {
                batch->items = NULL;
                return;
        }
        (void) error_reply_outcome(call->message, &outcome);
        call_free(call);
}

/* Adds one to the items. Returns 0, or -ENOMEM. */
static int add_item(BatchCall *batch, BatchItem **ret) {
        BatchItem *items;

        /* In steps, as who calls knows how many there are, and we do not. */
        if (batch->n % 64 == 0) {
                items = reallocarray(batch->items, batch->n + 64, sizeof *items);
                if (!items)
                        return -ENOMEM;
                batch->items = items;
        }

        *ret = &batch->items[batch->n++];
        **ret = (BatchItem){};
        device_spec_init(&(*ret)->spec);
        return 0;
}

static void take_deletion(JsonDecoder *d, json_t *options, Precondition *ret) {
        arguments_take_precondition(d, options, ret);
        json_end(d, options);
}

/* Has ret_item stand at item i, and ret at what goes with its name. */
static void enter_item(const BatchCall *batch, const JsonDecoder *in_devices, size_t i, JsonDecoder *ret_item,
                       JsonDecoder *ret) {
        char index[24];

        (void) snprintf(index, sizeof index, "%zu", i);
        json_decoder_enter(ret_item, in_devices, index);
        json_decoder_enter(ret, ret_item, batch->kind == BATCH_DELETE ? "options" : "spec");
}

/* One structure of the array, and its name; names: those before, as members. */
static int read_item(sd_bus_message *m, BatchCall *batch, JsonDecoder *in_devices, json_t *names) {
        _cleanup_json_ json_t *object = NULL;
        JsonDecoder d, in_object;
        const char *name;
        BatchItem *item;
        int r;

        enter_item(batch, in_devices, batch->n, &d, &in_object);
        r = add_item(batch, &item);
        if (r == 0)
                r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &name);
        if (r >= 0)
                r = variant_read_object(m, &in_object, &object);
        if (r >= 0 && json_array_append_new(batch->asked, json_pack("[s?, O]", name, object)) < 0)
                return -ENOMEM;
        if (r < 0)
                return r;

        if ((*name || batch->kind == BATCH_DELETE) && !device_name_is_valid(name))
                json_fault(&d, "name", "bad-name", "is not a device name");
        else if (*name && json_object_get(names, name))
                json_fault(&d, "name", "duplicate", "is the name of an item before");
        else if (*name && json_object_set_new(names, name, json_null()) < 0)
                return -ENOMEM;
        else
                strcpy(item->name, name);
        if (batch->kind == BATCH_DELETE)
                take_deletion(&in_object, object, &item->precondition);
        else if (json_object_size(object) > 0 && device_spec_decode(&in_object, object, &item->spec) == -ENOMEM)
                return -ENOMEM;
        return 0;
}

/* Past the most that there may be, one is a fault, and the rest is not looked at. */
static int read_items(Arguments *a, sd_bus_message *m, BatchCall *batch) {
        _cleanup_json_ json_t *names = json_object();
        JsonDecoder in_devices;
        int r;

        if (!names)
                return -ENOMEM;
        json_decoder_enter(&in_devices, &a->document, "devices");
        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(sa{sv})");
        while (r >= 0 && batch->n < BATCH_CALL_MAX &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, "sa{sv}")) > 0) {
                r = read_item(m, batch, &in_devices, names);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;

        if (batch->n == 0)
                json_fault(&in_devices, NULL, "empty", "must have an item at least");
        while (batch->n == BATCH_CALL_MAX && (r = sd_bus_message_skip(m, "(sa{sv})")) > 0)
                if (a->faults.n == 0)
                        json_fault(&in_devices, NULL, "too-many", "must have %u items at the most", BATCH_CALL_MAX);
        return sd_bus_message_exit_container(m);
}

/* Gives the items of which nothing is said the spec; NULL: that is a fault of each. Returns 0 or -ENOMEM. */
static int fill_in(const JsonDecoder *in_devices, BatchCall *batch, const DeviceSpec *spec) {
        JsonDecoder in_item, in_spec;

        for (size_t i = 0; i < batch->n; i++) {
                json_t *object = json_array_get(json_array_get(batch->asked, i), 1);
                int r = 0;

                enter_item(batch, in_devices, i, &in_item, &in_spec);
                if (json_object_size(object) == 0)
                        r = spec ? device_spec_copy(spec, &batch->items[i].spec)
                                 : device_spec_decode(&in_spec, object, &batch->items[i].spec);
                if (r == -ENOMEM)
                        return r;
        }
        return 0;
}

/* Takes the option "spec", of the items that have none. Returns 0, also if something is wrong with it or with
 * them, or -ENOMEM. */
static int take_spec(Arguments *a, BatchCall *batch, JsonDecoder *in_options, json_t *options) {
        JsonDecoder in_devices, in_spec;
        json_t *object = NULL;
        DeviceSpec spec;
        int r = 0;

        device_spec_init(&spec);
        json_decoder_enter(&in_devices, &a->document, "devices");
        json_decoder_enter(&in_spec, in_options, "spec");
        if (json_take_object(in_options, options, "spec", &object))
                r = device_spec_decode(&in_spec, object, &spec);
        if (r == 0)
                r = fill_in(&in_devices, batch, object ? &spec : NULL);
        device_spec_done(&spec);
        return r == -ENOMEM ? r : 0;
}

/* option: of all items. Returns 0 with the batch, or -EINVAL with faults in a, or another negative errno. */
static int read_batch(Arguments *a, sd_bus_message *m, BatchKind kind, const char *option, BatchCall **ret) {
        _cleanup_(batch_call_freep) BatchCall *batch = calloc(1, sizeof *batch);
        _cleanup_json_ json_t *options = NULL;
        JsonDecoder in_options;
        bool is_set = false;
        int r;

        if (!batch)
                return -ENOMEM;
        batch->kind = kind;
        batch->asked = json_array();
        if (!batch->asked)
                return -ENOMEM;
        r = read_items(a, m, batch);
        if (r >= 0)
                r = arguments_read_object(a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        (void) json_take_bool(&in_options, options, option, &is_set);
        if (kind == BATCH_CREATE)
                r = take_spec(a, batch, &in_options, options);
        if (r < 0)
                return r;
        if (arguments_take_key(&in_options, options, kind == BATCH_DELETE ? "delete-batch" : "create-batch", "",
                               batch->asked, &batch->key) < 0)
                return -ENOMEM;
        json_end(&in_options, options);
        batch->results = calloc(batch->n + 1, sizeof *batch->results);
        if (!batch->results)
                return -ENOMEM;

        if (kind == BATCH_CREATE && is_set)
                batch->kind = BATCH_CREATE_ATOMIC;
        batch->missing_ok = kind == BATCH_DELETE && is_set;
        *ret = TAKE_PTR(batch);
        return 0;
}

static int begin(Bus *bus, sd_bus_message *m, BatchKind kind, const char *option) {
        _cleanup_(batch_call_freep) BatchCall *batch = NULL;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        r = read_batch(&a, m, kind, option, &batch);
        if (r < 0)
                return r;
        if (!arguments_end(&a, m))
                return 1;

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        call->batch = TAKE_PTR(batch);
        return call_authorize(call, POLKIT_MANAGE, run);
}

int batch_call_create(Bus *bus, sd_bus_message *m) {
        return begin(bus, m, BATCH_CREATE, "atomic");
}

int batch_call_delete(Bus *bus, sd_bus_message *m) {
        return begin(bus, m, BATCH_DELETE, "missing-ok");
}
