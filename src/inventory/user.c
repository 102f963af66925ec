/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/user.h"

#include <stdio.h>
#include <string.h>

static const struct {
        const char *name;
        const char *text;
} kinds[_DEVICE_USER_KIND_MAX] = {
        [USER_PROCESS] = { "process", NULL },
        [USER_MOUNT] = { "mount", "mounted on " },
        [USER_SWAP] = { "swap", "swapped on as " },
        [USER_DEVICE] = { "device", "under " },
        [USER_NETNS] = { "netns", "another network namespace" },
};

void device_users_add(DeviceUsers *users, const DeviceUser *user) {
        if (users->n < DEVICE_USERS_MAX)
                users->user[users->n++] = *user;
        else
                users->has_more = true;
}

static void format_user(const DeviceUser *user, char *ret, size_t size) {
        if (user->kind != USER_PROCESS) {
                (void) snprintf(ret, size, "%s%s", kinds[user->kind].text, user->name);
                return;
        }
        (void) snprintf(ret, size, "process %ld%s%s", (long) user->pid, user->name[0] ? ", " : "", user->name);
}

const char *device_users_format(const DeviceUsers *users, char ret[DEVICE_USERS_TEXT_MAX]) {
        size_t n = 0;

        ret[0] = '\0';
        for (unsigned i = 0; i < users->n && n + 1 < DEVICE_USERS_TEXT_MAX; i++) {
                if (i > 0)
                        n += strlen(strncat(ret + n, "; ", DEVICE_USERS_TEXT_MAX - n - 1));
                format_user(&users->user[i], ret + n, DEVICE_USERS_TEXT_MAX - n);
                n += strlen(ret + n);
        }
        if (users->has_more)
                (void) strncat(ret, "; and more", DEVICE_USERS_TEXT_MAX - n - 1);
        return ret;
}

static json_t *encode_user(const DeviceUser *user) {
        if (user->kind != USER_PROCESS)
                return json_pack("{s:s, s:o}", "kind", kinds[user->kind].name, "name", json_text(user->name));

        /* clang-format off */
        return json_pack("{s:s, s:I, s:o, s:o}",
                         "kind", kinds[user->kind].name,
                         "pid", (json_int_t) user->pid,
                         "comm", user->name[0] ? json_text(user->name) : json_null(),
                         "fd", user->fd >= 0 ? json_integer(user->fd) : json_null());
        /* clang-format on */
}

json_t *device_users_encode(const DeviceUsers *users) {
        _cleanup_json_ json_t *array = json_array();

        for (unsigned i = 0; array && i < users->n; i++)
                if (json_array_append_new(array, encode_user(&users->user[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}
