/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What other programs on the simulated host do to its devices. They go by the hardware's rules, as the daemon does,
 * but know nothing of the daemon's account: a device that they make takes the highest IDs that are free. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "inventory/spec-json.h"
#include "sim/model-command.h"
#include "sim/model-holding.h"
#include "sim/sim-assign.h"
#include "sim/sim-state.h"

/* IDs above these are not looked at, so that the tables need little memory. */
#define HIGHEST_ID 65536u

#define WORDS_MAX 5

typedef struct OutsideCall {
        Sim *sim;
        char *words[WORDS_MAX]; /* the command, and what it takes; "" where there is none */
        char *answer;
        Failure failure;
} OutsideCall;

static int complain(OutsideCall *c, int error, const char *format, ...) _printf_(3, 4);

static int complain(OutsideCall *c, int error, const char *format, ...) {
        char text[256];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof text, format, ap);
        va_end(ap);
        return failure_set(&c->failure, ERROR_BACKEND_FAILED, error, "%s", text);
}

static ModelDevice *find_device(OutsideCall *c) {
        ModelDevice *d = model_find_device(c->sim->model, c->words[1]);

        if (!d)
                (void) complain(c, ENODEV, "there is no device '%s'", c->words[1]);
        return d;
}

/* One that nobody has open. */
static ModelDevice *find_idle_device(OutsideCall *c) {
        ModelDevice *d = find_device(c);

        if (d && sim_is_open(c->sim, d)) {
                (void) complain(c, EBUSY, "'%s' is open", c->words[1]);
                return NULL;
        }
        return d;
}

/* The highest ID below *from that nobody holds. */
static int find_free(Model *m, unsigned mgmtdev, ModelIdKind kind, uint32_t *from) {
        ModelTable *table = model_holding_table(m, mgmtdev, kind);
        unsigned place;

        for (uint32_t id = *from < table->n_ids ? *from : table->n_ids; id-- > 0;)
                if (model_table_back(table, &m->file, id) == 0 && !model_holding_find(m, table, kind, id, &place)) {
                        *from = id;
                        return 0;
                }

        return -ENOSPC;
}

static int give_all(OutsideCall *c, ModelDevice *d, ModelIdKind kind) {
        Model *m = c->sim->model;
        ModelRef ref = model_device_ref(m, d);
        uint32_t id = HIGHEST_ID;

        for (unsigned place = 0; place < model_holding_places(d, kind); place++) {
                int r = find_free(m, d->mgmtdev, kind, &id);

                if (r < 0)
                        return complain(c, ENOSPC, "there are no more IDs");
                r = kind == MODEL_ASID ? model_set_address_space(m, ref, place, id, &c->failure)
                                       : model_store_msi(m, ref, place, id, &c->failure);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int decode_spec(OutsideCall *c, const char *text, DeviceSpec *ret) {
        _cleanup_json_ json_t *json = json_loads(text, 0, NULL);
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        if (!json_is_object(json))
                return complain(c, EINVAL, "the spec is no JSON object");
        if (device_spec_decode(&d, json, ret) < 0)
                return complain(c, EINVAL, "the spec is wrong at %s", faults.fault[0].pointer);
        return 0;
}

static int set_up(OutsideCall *c, ModelDevice *d, const DeviceSpec *spec) {
        Model *m = c->sim->model;
        int r;

        r = give_all(c, d, MODEL_ASID);
        if (r >= 0)
                r = give_all(c, d, MODEL_MSI);
        if (r >= 0)
                r = model_enable_device(m, model_device_ref(m, d), spec->driver, &c->failure);
        if (r >= 0)
                model_set_endpoint(d, &spec->endpoint);
        else
                (void) sim_withdraw_device(m, d, &(Failure){});
        return r;
}

/* add NAME MGMTDEV SPEC */
static int run_add(OutsideCall *c) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        SimUnit *u = sim_find_unit(c->sim, c->words[2]);
        ModelDeviceSpec model_spec;
        ModelDevice *d;
        int r;

        device_spec_init(&spec);
        r = decode_spec(c, c->words[3], &spec);
        if (r < 0)
                return r;
        if (!u || !device_name_is_valid(c->words[1]))
                return complain(c, EINVAL, "there can be no such device there");
        if (model_find_device(c->sim->model, c->words[1]))
                return complain(c, EEXIST, "'%s' is there", c->words[1]);
        r = sim_unit_check_spec(u, &spec, &model_spec, &c->failure);
        if (r >= 0)
                r = sim_unit_check_room(u, &model_spec, &c->failure);
        if (r < 0)
                return r;

        model_spec.is_foreign = true;
        r = model_create_device(c->sim->model, c->words[1], &model_spec, &d);
        return r < 0 ? complain(c, r, "there is no room") : set_up(c, d, &spec);
}

/* del NAME */
static int run_del(OutsideCall *c) {
        ModelDevice *d = find_idle_device(c);

        return d ? sim_withdraw_device(c->sim->model, d, &c->failure) : -EIO;
}

/* mac NAME ADDRESS */
static int run_mac(OutsideCall *c) {
        ModelDevice *d = find_device(c);
        uint8_t mac[6];

        if (!d || mac_parse(c->words[2], mac) < 0)
                return d ? complain(c, EINVAL, "'%s' is no MAC address", c->words[2]) : -EIO;
        model_set_mac(d, mac);
        return 0;
}

/* bind NAME DRIVER */
static int run_bind(OutsideCall *c) {
        ModelDevice *d = find_idle_device(c);
        Model *m = c->sim->model;
        BusDriver driver;

        if (!d || bus_driver_parse(c->words[2], &driver) < 0)
                return d ? complain(c, EINVAL, "'%s' is no driver", c->words[2]) : -EIO;
        return model_enable_device(m, model_device_ref(m, d), driver, &c->failure);
}

/* unbind NAME */
static int run_unbind(OutsideCall *c) {
        ModelDevice *d = find_idle_device(c);

        return d ? model_disable_device(c->sim->model, model_device_ref(c->sim->model, d), &c->failure) : -EIO;
}

/* chown NAME UID:GID:MODE, as numbers, the last one octal */
static int run_chown(OutsideCall *c) {
        ModelDevice *d = find_device(c);
        unsigned uid, gid, mode;

        if (!d)
                return -EIO;
        if (sscanf(c->words[2], "%u:%u:%o", &uid, &gid, &mode) != 3 || mode > 0777)
                return complain(c, EINVAL, "'%s' is not UID:GID:MODE", c->words[2]);
        model_set_endpoint(d, &(EndpointSpec){ .uid = uid, .gid = gid, .mode = mode });
        return 0;
}

/* show NAME: all there is to see of it, and its place in the hardware, which a device made again does not keep. */
static int run_show(OutsideCall *c) {
        const ModelDevice *d = find_device(c);
        ModelBinding binding;
        ModelOwner owner;
        char mac[MAC_TEXT_MAX];
        ModelMac address;

        if (!d)
                return -EIO;
        binding = atomic_load(&d->binding);
        owner = atomic_load(&d->owner);
        address = atomic_load(&d->mac);
        (void) snprintf(c->answer, OUTSIDE_TEXT_MAX,
                        "ok generation=%u class=%u features=%llx mac=%s mtu=%u max_vqp=%u driver=%u endpoint=%u "
                        "mode=%o uid=%u gid=%u",
                        d->generation, d->class, (unsigned long long) d->features, mac_format(address.address, mac),
                        d->mtu, d->max_vqp, binding.driver, binding.number, binding.mode, owner.uid, owner.gid);
        return 0;
}

/* hint NAME: a change that is none; "*": anywhere. */
static int run_hint(OutsideCall *c) {
        return 0;
}

static const struct {
        const char *name;
        int (*run)(OutsideCall *c);
        bool is_question;
} commands[] = {
        { "add", run_add },       { "del", run_del },     { "mac", run_mac },         { "bind", run_bind },
        { "unbind", run_unbind }, { "chown", run_chown }, { "show", run_show, true }, { "hint", run_hint },
};

/* The last word goes to the end of the line. */
static void split(char *text, char *words[WORDS_MAX]) {
        for (size_t i = 0; i < WORDS_MAX; i++) {
                words[i] = text;
                text += i < 3 ? strcspn(text, " ") : strlen(text);
                if (*text)
                        *text++ = '\0';
        }
}

void sim_run_outside(void *sim, char *text, char ret_answer[static OUTSIDE_TEXT_MAX],
                     char ret_hint[static DEVICE_NAME_MAX]) {
        bool is_quiet = strncmp(text, "quiet ", 6) == 0;
        _cleanup_sim_ Sim *s = sim_lock(sim);
        OutsideCall c = { .sim = s, .answer = ret_answer };
        int r = -EINVAL;

        (void) complain(&c, EINVAL, "there is no such command");
        split(is_quiet ? text + 6 : text, c.words);
        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                if (strcmp(commands[i].name, c.words[0]) != 0)
                        continue;
                c.failure = FAILURE_INIT;
                r = commands[i].run(&c);
                if (r >= 0 && !commands[i].is_question && !is_quiet)
                        (void) snprintf(ret_hint, DEVICE_NAME_MAX, "%s", c.words[1]);
        }

        if (r < 0)
                (void) snprintf(ret_answer, OUTSIDE_TEXT_MAX, "%s", c.failure.detail);
        else if (!ret_answer[0])
                strcpy(ret_answer, "ok");
}
