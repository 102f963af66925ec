/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/holding.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dbus/context.h"
#include "util/log.h"

/* "dbus ", the bus' ID, a space. */
#define PREFIX_MAX (5 + SD_ID128_STRING_MAX + 1)

static int write_prefix(sd_bus *connection, char ret[PREFIX_MAX]) {
        sd_id128_t id;
        int r;

        /* Known since the connection was set up: nothing is waited for. */
        r = sd_bus_get_bus_id(connection, &id);
        if (r < 0)
                return r;
        (void) snprintf(ret, PREFIX_MAX, "dbus " SD_ID128_FORMAT_STR " ", SD_ID128_FORMAT_VAL(id));
        return 0;
}

int holding_name(sd_bus *connection, const char *sender, char ret[HOLDER_MAX]) {
        char prefix[PREFIX_MAX];
        int n, r;

        r = write_prefix(connection, prefix);
        if (r < 0)
                return r;
        n = snprintf(ret, HOLDER_MAX, "%s%s", prefix, sender);
        return n < HOLDER_MAX ? 0 : -ENAMETOOLONG;
}

void holding_note_departure(Bus *bus, const char *sender) {
        char name[HOLDER_MAX];

        if (holding_name(bus->bus, sender, name) == 0)
                lifecycle_release_holder(bus->lifecycle, name);
}

static bool is_listed(char **names, const char *name) {
        for (; names && *names; names++)
                if (strcmp(*names, name) == 0)
                        return true;
        return false;
}

/* Those of another bus have gone with it. */
static bool is_gone(const Holder *holder, const char *prefix, char **names) {
        size_t n = strlen(prefix);

        if (strncmp(holder->name, "dbus ", 5) != 0)
                return false;
        return strncmp(holder->name, prefix, n) != 0 || !is_listed(names, holder->name + n);
}

static void release_the_gone(Bus *bus, char **names) {
        struct HolderTree *holders = &lifecycle_inventory(bus->lifecycle)->holders;
        char prefix[PREFIX_MAX], name[HOLDER_MAX] = "";
        const Holder *holder;

        if (write_prefix(bus->bus, prefix) < 0)
                return;
        while ((holder = holder_next(holders, name))) {
                /* With its last device a holder is freed. */
                strcpy(name, holder->name);
                if (is_gone(holder, prefix, names))
                        lifecycle_release_holder(bus->lifecycle, name);
        }
}

static char **free_names(char **names) {
        for (char **name = names; name && *name; name++)
                free(*name);
        free(names);
        return NULL;
}

static int on_names(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        char **names = NULL;
        Bus *bus = userdata;
        int r;

        if (sd_bus_message_is_method_error(m, NULL))
                r = -sd_bus_message_get_errno(m);
        else
                r = sd_bus_message_read_strv(m, &names);
        if (r < 0)
                log_error_errno(r, "Cannot find out who is on the bus, so devices of who is not stay: %m");
        else
                release_the_gone(bus, names);
        free_names(names);
        return 0;
}

void holding_check(Bus *bus) {
        int r;

        if (RB_EMPTY(&lifecycle_inventory(bus->lifecycle)->holders))
                return;
        r = sd_bus_call_method_async(bus->bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "ListNames", on_names, bus, "");
        if (r < 0)
                log_error_errno(r, "Cannot ask who is on the bus, so devices of who is not stay: %m");
}
