/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/accepts.h"

#include <errno.h>
#include <string.h>

#include "kernel/sysfs.h"
#include "kernel/vdpa-codec.h"
#include "kernel/vdpa-netlink.h"
#include "kernel/vdpa-sysfs.h"

/* No device of ours has such a name. */
#define PROBE_NAME "HSVDPA-PROBE"

typedef struct Known {
        char handle[HANDLE_MAX];
        char driver[SYSFS_VALUE_MAX];
        bool was_asked; /* with or without an answer; if not, the next listing tries again */
        bool is_known;
        uint32_t accepts;
        bool is_listed;
} Known;

struct Accepts {
        const char *root; /* borrowed */
        Known *known;
        size_t n_known, n_allocated;
};

int accepts_new(const char *root, Accepts **ret) {
        Accepts *a = calloc(1, sizeof *a);

        if (!a)
                return -ENOMEM;
        a->root = root;
        *ret = a;
        return 0;
}

Accepts *accepts_free(Accepts *a) {
        if (a)
                free(a->known);
        free(a);
        return NULL;
}

static Known *find(Accepts *a, const char *handle) {
        for (size_t i = 0; i < a->n_known; i++)
                if (strcmp(a->known[i].handle, handle) == 0)
                        return &a->known[i];
        return NULL;
}

/* NULL: out of memory. */
static Known *add(Accepts *a, const char *handle) {
        Known *k;

        if (a->n_known >= a->n_allocated) {
                size_t n = a->n_allocated > 0 ? 2 * a->n_allocated : 8;
                Known *more = realloc(a->known, n * sizeof *more);

                if (!more)
                        return NULL;
                a->known = more;
                a->n_allocated = n;
        }

        k = &a->known[a->n_known++];
        *k = (Known){};
        strcpy(k->handle, handle);
        return k;
}

/* What is known of the management device and the driver it has now. */
static Known *ensure(Accepts *a, const char *handle) {
        char driver[SYSFS_VALUE_MAX] = "";
        Known *k = find(a, handle);

        (void) vdpa_sysfs_get_mgmtdev_driver(a->root, handle, driver);
        if (!k)
                k = add(a, handle);
        else if (strcmp(k->driver, driver) != 0)
                k->was_asked = k->is_known = false;
        if (k)
                strcpy(k->driver, driver);
        return k;
}

void accepts_begin_listing(Accepts *a) {
        for (size_t i = 0; i < a->n_known; i++)
                a->known[i].is_listed = false;
}

void accepts_end_listing(Accepts *a) {
        size_t n = 0;

        for (size_t i = 0; i < a->n_known; i++)
                if (a->known[i].is_listed)
                        a->known[n++] = a->known[i];
        a->n_known = n;
}

static void ask(Known *k, GenlSocket *netlink, const MgmtdevInfo *info, char ret_made[DEVICE_NAME_MAX]) {
        uint32_t accepts = 0;
        int r;

        r = vdpa_netlink_probe_attributes(netlink, PROBE_NAME, info, &accepts);
        if (r > 0)
                strcpy(ret_made, PROBE_NAME);
        k->is_known = r >= 0;
        k->was_asked = k->is_known || r == -EOPNOTSUPP;
        k->accepts = accepts;
}

void accepts_describe(Accepts *a, GenlSocket *netlink, MgmtdevInfo *info, char ret_made[DEVICE_NAME_MAX]) {
        Known *k = ensure(a, info->handle);

        ret_made[0] = '\0';
        info->knows_accepts = false;
        info->accepts = 0;
        if (!k)
                return;

        k->is_listed = true;
        if (!k->was_asked)
                ask(k, netlink, info, ret_made);
        info->knows_accepts = k->is_known;
        info->accepts = k->is_known ? k->accepts : 0;
}

/* If nothing was known: what was not refused counts as accepted, until it is. */
void accepts_note_refused(Accepts *a, const char *handle, uint32_t attributes) {
        Known *k = attributes ? ensure(a, handle) : NULL;

        if (!k)
                return;
        if (!k->is_known)
                k->accepts = VDPA_ATTRIBUTES;
        k->accepts &= ~attributes;
        k->is_known = k->was_asked = true;
}
