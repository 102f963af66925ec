/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The library can ask both the bus and polkit for us, but waits for the answers. Here each question has a callback:
 * first, who the sender is; then, unless that is enough, whether polkit lets it. */
#include "dbus/polkit.h"

#include <errno.h>
#include <string.h>

#include "dbus/context.h"
#include "util/clock.h"
#include "util/log.h"

#define POLKIT_NAME      "org.freedesktop.PolicyKit1"
#define POLKIT_PATH      "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define POLKIT_FLAG_INTERACTIVE 1u

/* Someone has to type a password. */
#define INTERACTIVE_TIMEOUT_USEC (120 * USEC_PER_SEC)
#define TIMEOUT_USEC             (25 * USEC_PER_SEC)

typedef struct Credentials {
        uint32_t uid;
        bool has_uid;
        bool in_group;
} Credentials;

static void allow(Call *call) {
        call->run(call);
}

static void refuse(Call *call, const char *why) {
        (void) sd_bus_reply_method_errorf(call->message, SD_BUS_ERROR_ACCESS_DENIED, "%s: %s is required", why,
                                          call->action);
        call_free(call);
}

static void refuse_challenge(Call *call) {
        (void) sd_bus_reply_method_errorf(call->message, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                          "Interactive authentication is required for %s", call->action);
        call_free(call);
}

static void fail(Call *call, int error) {
        (void) sd_bus_reply_method_errnof(call->message, error, "Cannot find out who asks");
        call_free(call);
}

static bool is_allowed_group(const Bus *bus, uint32_t gid) {
        return bus->has_group && gid == bus->group;
}

static int read_groups(const Bus *bus, sd_bus_message *m, Credentials *c) {
        uint32_t gid;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "au");
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "u");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(m, SD_BUS_TYPE_UINT32, &gid)) > 0)
                c->in_group = c->in_group || is_allowed_group(bus, gid);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

static int read_credential(const Bus *bus, sd_bus_message *m, Credentials *c) {
        const char *key;
        int r;

        r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &key);
        if (r < 0)
                return r;
        if (strcmp(key, "UnixUserID") == 0) {
                c->has_uid = true;
                return sd_bus_message_read(m, "v", "u", &c->uid);
        }
        if (strcmp(key, "UnixGroupIDs") == 0)
                return read_groups(bus, m, c);
        return sd_bus_message_skip(m, "v");
}

static int read_credentials(const Bus *bus, sd_bus_message *m, Credentials *c) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = read_credential(bus, m, c);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static bool is_absent(const sd_bus_error *e) {
        return sd_bus_error_has_names(e, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

static int on_decided(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Call *call = userdata;
        int authorized, challenge, r;

        call->slot = sd_bus_slot_unref(call->slot);
        if (is_absent(sd_bus_message_get_error(m))) {
                if (call->in_group)
                        allow(call);
                else
                        refuse(call, "There is no polkit that could allow it");
                return 1;
        }
        if (sd_bus_message_is_method_error(m, NULL)) {
                log_warning("polkit has not decided on %s: %s", call->action, sd_bus_message_get_error(m)->message);
                refuse(call, "polkit has not answered");
                return 1;
        }

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(m, "bb", &authorized, &challenge);
        if (r < 0)
                refuse(call, "polkit has not answered as it should");
        else if (authorized)
                allow(call);
        else if (challenge && sd_bus_message_get_allow_interactive_authorization(call->message) <= 0)
                refuse_challenge(call);
        else
                refuse(call, "polkit does not allow it");
        return 1;
}

static int ask_polkit(Call *call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int interactive = sd_bus_message_get_allow_interactive_authorization(call->message) > 0, r;
        sd_bus *bus = sd_bus_message_get_bus(call->message);

        r = sd_bus_message_new_method_call(bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                           "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                  sd_bus_message_get_sender(call->message), call->action, 0,
                                  interactive ? POLKIT_FLAG_INTERACTIVE : 0, "");
        if (r < 0)
                return r;
        return sd_bus_call_async(bus, &call->slot, m, on_decided, call,
                                 interactive ? INTERACTIVE_TIMEOUT_USEC : TIMEOUT_USEC);
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Credentials c = {};
        Call *call = userdata;
        int r;

        call->slot = sd_bus_slot_unref(call->slot);
        if (sd_bus_message_is_method_error(m, NULL)) {
                fail(call, sd_bus_message_get_errno(m));
                return 1;
        }

        r = read_credentials(call->bus, m, &c);
        if (r < 0)
                fail(call, r);
        else if (c.has_uid && (c.uid == 0 || c.uid == geteuid()))
                allow(call);
        else {
                call->in_group = c.in_group;
                r = ask_polkit(call);
                if (r < 0)
                        fail(call, r);
        }
        return 1;
}

void polkit_check(Call *call) {
        int r;

        r = sd_bus_call_method_async(sd_bus_message_get_bus(call->message), &call->slot, "org.freedesktop.DBus",
                                     "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionCredentials",
                                     on_credentials, call, "s", sd_bus_message_get_sender(call->message));
        if (r < 0)
                fail(call, r);
}
