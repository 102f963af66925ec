/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Messages on the bus with an a{sv} of whatever types, in whatever order and depth: read as JSON, and written
 * back. The library has checked the bytes of a message before anyone sees it, so the input says what to put in. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "dbus/variant.h"
#include "fuzz.h"

#define DEPTH_MAX 16

static sd_bus *bus;

/* A connection that nobody answers, for messages need one. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
        int fds[2];

        fuzz_expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
        fuzz_expect(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, fds[0], fds[0]) >= 0 && sd_bus_start(bus) >= 0);
        return 0;
}

static sd_bus_message *new_message(void) {
        sd_bus_message *m = NULL;

        fuzz_expect(sd_bus_message_new_method_call(bus, &m, NULL, "/", NULL, "M") >= 0);
        return m;
}

static void seal(sd_bus_message *m) {
        fuzz_expect(sd_bus_message_seal(m, 1, 0) >= 0 && sd_bus_message_rewind(m, true) >= 0);
}

static void put_value(sd_bus_message *m, FuzzInput *in, unsigned depth);

/* A string that is none of UTF-8, or no signature or path, is refused by the library; then another is put. */
static void put_text(sd_bus_message *m, char type, FuzzInput *in) {
        _cleanup_free_ char *text = fuzz_take_text(in);

        if (sd_bus_message_append_basic(m, type, text) < 0)
                fuzz_expect(sd_bus_message_append_basic(m, type, type == 'o' ? "/" : "") >= 0);
}

static void put_number(sd_bus_message *m, char type, FuzzInput *in) {
        uint64_t value = fuzz_take_u64(in);
        int truth = value & 1;
        double real;

        memcpy(&real, &value, sizeof real);
        if (type == 'b')
                fuzz_expect(sd_bus_message_append_basic(m, type, &truth) >= 0);
        else if (type == 'd')
                fuzz_expect(sd_bus_message_append_basic(m, type, &real) >= 0);
        else
                fuzz_expect(sd_bus_message_append_basic(m, type, &value) >= 0);
}

static void put_basic(sd_bus_message *m, const char *type, FuzzInput *in) {
        fuzz_expect(sd_bus_message_open_container(m, 'v', type) >= 0);
        if (strchr("sog", type[0]))
                put_text(m, type[0], in);
        else
                put_number(m, type[0], in);
        fuzz_expect(sd_bus_message_close_container(m) >= 0);
}

static void put_basics(sd_bus_message *m, const char *type, FuzzInput *in) {
        char array[3] = { 'a', type[0], '\0' };

        fuzz_expect(sd_bus_message_open_container(m, 'v', array) >= 0);
        fuzz_expect(sd_bus_message_open_container(m, 'a', type) >= 0);
        for (unsigned n = fuzz_take_byte(in) % 4; n > 0; n--)
                if (strchr("sog", type[0]))
                        put_text(m, type[0], in);
                else
                        put_number(m, type[0], in);
        fuzz_expect(sd_bus_message_close_container(m) >= 0 && sd_bus_message_close_container(m) >= 0);
}

static void put_members(sd_bus_message *m, FuzzInput *in, unsigned depth) {
        fuzz_expect(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        for (unsigned n = fuzz_take_byte(in) % 6; n > 0 && in->size > 0; n--) {
                fuzz_expect(sd_bus_message_open_container(m, 'e', "sv") >= 0);
                put_text(m, 's', in);
                put_value(m, in, depth + 1);
                fuzz_expect(sd_bus_message_close_container(m) >= 0);
        }
        fuzz_expect(sd_bus_message_close_container(m) >= 0);
}

static void put_nested(sd_bus_message *m, FuzzInput *in, unsigned depth, unsigned kind) {
        static const char *const types[] = { "a{sv}", "av", "v", "(vs)", "a{us}" };

        fuzz_expect(sd_bus_message_open_container(m, 'v', types[kind]) >= 0);
        if (kind == 0) {
                put_members(m, in, depth);
        } else if (kind == 1) {
                fuzz_expect(sd_bus_message_open_container(m, 'a', "v") >= 0);
                for (unsigned n = fuzz_take_byte(in) % 6; n > 0 && in->size > 0; n--)
                        put_value(m, in, depth + 1);
                fuzz_expect(sd_bus_message_close_container(m) >= 0);
        } else if (kind == 2) {
                put_value(m, in, depth + 1);
        } else if (kind == 3) {
                fuzz_expect(sd_bus_message_open_container(m, 'r', "vs") >= 0);
                put_value(m, in, depth + 1);
                put_text(m, 's', in);
                fuzz_expect(sd_bus_message_close_container(m) >= 0);
        } else
                fuzz_expect(sd_bus_message_append(m, "a{us}", 1, 7, "x") >= 0);
        fuzz_expect(sd_bus_message_close_container(m) >= 0);
}

static void put_value(sd_bus_message *m, FuzzInput *in, unsigned depth) {
        static const char *const basics[] = { "y", "n", "q", "i", "u", "x", "t", "d", "b", "s", "o", "g" };
        uint8_t kind = fuzz_take_byte(in);

        if (kind % 32 < 12 || depth >= DEPTH_MAX)
                put_basic(m, basics[kind % 12], in);
        else if (kind % 32 < 22)
                put_basics(m, basics[kind % 12], in);
        else
                put_nested(m, in, depth, kind % 5);
}

static json_t *read_object(sd_bus_message *m, JsonFaults *faults) {
        json_t *object = NULL;
        JsonDecoder d;

        json_decoder_init(&d, faults);
        fuzz_expect(variant_read_object(m, &d, &object) >= 0 && json_is_object(object));
        /* Whatever was wrong, the next argument can be read. */
        fuzz_expect(sd_bus_message_at_end(m, true) > 0);
        return object;
}

static bool has_nulls_or_reals(const json_t *value) {
        _cleanup_free_ char *text = json_dumps(value, JSON_ENCODE_ANY);

        return !text || strstr(text, "null") || strchr(text, '.') || strstr(text, "e+") || strstr(text, "e-");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message(), *second = NULL;
        _cleanup_json_ json_t *object = NULL, *again = NULL;
        FuzzInput in = { data, size };
        JsonFaults faults = {};

        put_members(m, &in, 0);
        seal(m);
        object = read_object(m, &faults);
        if (faults.n > 0)
                return 0;

        second = new_message();
        fuzz_expect(variant_append_object(second, object) >= 0);
        seal(second);
        again = read_object(second, &faults);
        if (faults.n == 0 && !has_nulls_or_reals(object))
                fuzz_expect(json_equal(object, again));
        return 0;
}
