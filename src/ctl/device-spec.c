/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/device-spec.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "ctl/number.h"

typedef struct Member {
        const char *option;
        const char *key;
        bool is_number;
} Member;

static const Member top_members[] = {
        { "class", "class" },
        { "mgmtdev", "mgmtdev" },
        { "driver", "driver" },
        { "owner", "owner" },
        { "vqs", "vqs", .is_number = true },
        { "vq-groups", "vq_groups", .is_number = true },
        { "msi-policy", "msi_policy" },
        { "lease", "lease_seconds", .is_number = true },
        { "drift", "drift" },
};

static const Member net_members[] = {
        { "mac", "mac" },
        { "mtu", "mtu", .is_number = true },
        { "max-vqp", "max_vqp", .is_number = true },
};

static const Member placement_members[] = {
        { "placement", "policy" },
        { "numa-node", "numa_node", .is_number = true },
};

static int fail(SpecFault *fault, const char *format, ...) _printf_(2, 3);
static int fail(SpecFault *fault, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(fault->text, sizeof fault->text, format, ap);
        va_end(ap);
        return -EINVAL;
}

/* Takes value over; NULL is out of memory. */
static int set(json_t *object, const char *key, json_t *value) {
        return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
}

static int set_string(json_t *object, const char *option, const char *key, const char *text, SpecFault *fault) {
        json_t *value = json_string(text);

        if (!value)
                return fail(fault, "--%s: the value is not UTF-8", option);
        return set(object, key, value);
}

static int set_members(json_t *object, const Arguments *a, const Member *members, size_t n, SpecFault *fault) {
        for (size_t i = 0; i < n; i++) {
                const char *text = arguments_get(a, members[i].option);
                uint64_t number;
                int r;

                if (!text)
                        continue;
                if (!members[i].is_number)
                        r = set_string(object, members[i].option, members[i].key, text, fault);
                else if (number_parse(text, 10, INT32_MAX, &number))
                        r = set(object, members[i].key, json_integer((json_int_t) number));
                else
                        r = fail(fault, "--%s: '%s' is not a number", members[i].option, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Names between commas; the option may also be repeated. */
static int add_features(json_t *array, const char *text, SpecFault *fault) {
        for (;;) {
                size_t n = strcspn(text, ",");
                json_t *name = json_stringn(text, n);

                if (n == 0 || !name) {
                        json_decref(name);
                        return fail(fault, "--features: a name is empty or not UTF-8");
                }
                if (json_array_append_new(array, name) < 0)
                        return -ENOMEM;
                if (!text[n])
                        return 0;
                text += n + 1;
        }
}

static int set_features(json_t *spec, const Arguments *a, SpecFault *fault) {
        json_t *array;
        int r;

        if (!arguments_has(a, "features"))
                return 0;
        array = json_array();
        r = set(spec, "features", array);
        for (size_t i = 0; r == 0 && i < arguments_count(a, "features"); i++)
                r = add_features(array, arguments_nth(a, "features", i), fault);
        return r;
}

static bool find_uid(const char *text, uint64_t *ret) {
        const struct passwd *user;

        if (number_parse(text, 10, UINT32_MAX, ret))
                return true;
        user = getpwnam(text);
        if (user)
                *ret = user->pw_uid;
        return user;
}

static bool find_gid(const char *text, uint64_t *ret) {
        const struct group *group;

        if (number_parse(text, 10, UINT32_MAX, ret))
                return true;
        group = getgrnam(text);
        if (group)
                *ret = group->gr_gid;
        return group;
}

static int set_mode(json_t *endpoint, const char *text, SpecFault *fault) {
        uint64_t mode;

        if (!number_parse(text, 8, 07777, &mode))
                return fail(fault, "--endpoint: '%s' is not an octal mode", text);
        return set(endpoint, "mode", json_sprintf("%04o", (unsigned) mode));
}

/* USER:GROUP:MODE, any of which may be left empty. */
static int set_endpoint(json_t *spec, const Arguments *a, SpecFault *fault) {
        const char *text = arguments_get(a, "endpoint");
        _cleanup_free_ char *copy = NULL;
        char *rest, *user, *group, *mode;
        json_t *endpoint;
        uint64_t id;
        int r;

        if (!text)
                return 0;
        rest = copy = strdup(text);
        endpoint = json_object();
        r = set(spec, "endpoint", endpoint);
        if (r < 0 || !copy)
                return -ENOMEM;

        user = strsep(&rest, ":");
        group = strsep(&rest, ":");
        mode = strsep(&rest, ":");
        if (!mode || rest)
                return fail(fault, "--endpoint: '%s' is not USER:GROUP:MODE", text);
        if (*user && !find_uid(user, &id))
                return fail(fault, "--endpoint: there is no user '%s'", user);
        if (*user)
                r = set(endpoint, "uid", json_integer((json_int_t) id));
        if (*group && !find_gid(group, &id))
                return fail(fault, "--endpoint: there is no group '%s'", group);
        if (r == 0 && *group)
                r = set(endpoint, "gid", json_integer((json_int_t) id));
        if (r == 0 && *mode)
                r = set_mode(endpoint, mode, fault);
        return r;
}

/* Takes value over. */
static int set_key(json_t *labels, const char *option, const char *key, json_t *value, SpecFault *fault) {
        json_t *text = json_string(key);

        json_decref(text);
        if (text)
                return set(labels, key, value);
        json_decref(value);
        return fail(fault, "--%s: the key is not UTF-8", option);
}

static int set_label(json_t *labels, const char *option, const char *text, SpecFault *fault) {
        const char *equals = strchr(text, '=');
        _cleanup_free_ char *key = NULL;
        json_t *value;

        if (!equals || equals == text)
                return fail(fault, "--%s: '%s' is not KEY=VALUE", option, text);
        key = strndup(text, (size_t) (equals - text));
        if (!key)
                return -ENOMEM;
        value = json_string(equals + 1);
        if (!value)
                return fail(fault, "--%s: the value is not UTF-8", option);
        return set_key(labels, option, key, value, fault);
}

/* In a merge patch, null takes a member away. */
static int set_labels(json_t *object, const Arguments *a, const char *option, const char *no_option,
                      SpecFault *fault) {
        json_t *labels;
        int r;

        if (!arguments_has(a, option) && !arguments_has(a, no_option))
                return 0;
        labels = json_object();
        r = set(object, "labels", labels);
        for (size_t i = 0; r == 0 && i < arguments_count(a, no_option); i++)
                r = set_key(labels, no_option, arguments_nth(a, no_option, i), json_null(), fault);
        for (size_t i = 0; r == 0 && i < arguments_count(a, option); i++)
                r = set_label(labels, option, arguments_nth(a, option, i), fault);
        return r;
}

static int set_net(json_t *net, const Arguments *a, SpecFault *fault) {
        return set_members(net, a, net_members, ELEMENTSOF(net_members), fault);
}

static int set_placement(json_t *placement, const Arguments *a, SpecFault *fault) {
        int r = set_members(placement, a, placement_members, ELEMENTSOF(placement_members), fault);

        return r < 0 ? r : set_labels(placement, a, "mgmtdev-label", "", fault);
}

/* An object inside the spec, only if there is something to say in it: not every class has each of them. */
static int set_part(json_t *spec, const char *key,
                    int (*set_in)(json_t *object, const Arguments *a, SpecFault *fault), const Arguments *a,
                    SpecFault *fault) {
        json_t *object = json_object();
        int r;

        r = object ? set_in(object, a, fault) : -ENOMEM;
        if (r < 0 || json_object_size(object) == 0) {
                json_decref(object);
                return r;
        }
        return set(spec, key, object);
}

static int set_flags(json_t *spec, const Arguments *a) {
        int r = 0;

        if (arguments_has(a, "no-persistent"))
                r = set(spec, "persistent", json_false());
        if (r == 0 && arguments_has(a, "no-owner"))
                r = set(spec, "owner", json_null());
        return r;
}

int spec_from_arguments(const Arguments *a, json_t **ret, SpecFault *fault) {
        json_t *spec = json_object();
        int r;

        r = spec ? set_members(spec, a, top_members, ELEMENTSOF(top_members), fault) : -ENOMEM;
        if (r == 0)
                r = set_part(spec, "net", set_net, a, fault);
        if (r == 0)
                r = set_features(spec, a, fault);
        if (r == 0)
                r = set_labels(spec, a, "label", "no-label", fault);
        if (r == 0)
                r = set_endpoint(spec, a, fault);
        if (r == 0)
                r = set_part(spec, "placement", set_placement, a, fault);
        if (r == 0)
                r = set_flags(spec, a);
        if (r < 0) {
                json_decref(spec);
                return r;
        }
        *ret = spec;
        return 0;
}

ExitCode spec_parse(const Arguments *arguments, json_t **ret) {
        SpecFault fault;
        int r;

        r = spec_from_arguments(arguments, ret, &fault);
        if (r == -EINVAL)
                return report_usage("%s", fault.text);
        return r < 0 ? report_oom() : EXIT_CODE_OK;
}

ExitCode spec_parse_text(const Arguments *arguments, char **ret) {
        json_t *spec = NULL;
        ExitCode code;

        code = spec_parse(arguments, &spec);
        if (code != EXIT_CODE_OK)
                return code;
        *ret = json_dumps(spec, JSON_COMPACT);
        json_decref(spec);
        return *ret ? EXIT_CODE_OK : report_oom();
}
