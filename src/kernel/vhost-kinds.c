/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/vhost-kinds.h"

#include <bsd/string.h>
#include <string.h>
#include <sys/stat.h>

#include "inventory/class.h"
#include "kernel/sysfs.h"

/* The name is a link to the device, whose directory is in that of the management device, if that has one. */
static uint64_t get_parent(const char *root, const char *name) {
        char path[SYSFS_PATH_MAX];
        struct stat st;

        if (sysfs_path(path, "%s/sys/bus/vdpa/devices/%s/..", root, name) < 0 || stat(path, &st) < 0)
                return 0;
        return st.st_ino;
}

VhostKind vhost_kind(const char *root, const char *name, const char *mgmtdev, const DeviceSpec *spec) {
        VhostKind kind = {
                .parent = get_parent(root, name),
                .class = spec->class,
                .max_vqp = spec->class == CLASS_NET ? spec->net.max_vqp : 0,
                .has_features = spec->has_features,
                .features = spec->has_features ? spec->features : 0,
        };

        (void) strlcpy(kind.mgmtdev, mgmtdev, sizeof kind.mgmtdev);
        return kind;
}

static bool kind_equal(const VhostKind *a, const VhostKind *b) {
        return strcmp(a->mgmtdev, b->mgmtdev) == 0 && a->parent == b->parent && a->class == b->class &&
               a->max_vqp == b->max_vqp && a->has_features == b->has_features && a->features == b->features;
}

const VhostAnswers *vhost_kinds_find(const VhostKinds *k, const VhostKind *kind, uint64_t now_usec) {
        for (unsigned i = 0; i < k->n && kind->mgmtdev[0]; i++)
                if (now_usec - k->known[i].asked_usec < VHOST_KINDS_USEC && kind_equal(&k->known[i].kind, kind))
                        return &k->known[i].answers;

        return NULL;
}

void vhost_kinds_add(VhostKinds *k, const VhostKind *kind, const VhostAnswers *answers, uint64_t now_usec) {
        if (!kind->mgmtdev[0])
                return;

        k->known[k->next].kind = *kind;
        k->known[k->next].asked_usec = now_usec;
        k->known[k->next].answers = *answers;
        k->next = (k->next + 1) % VHOST_KINDS_MAX;
        if (k->n < VHOST_KINDS_MAX)
                k->n++;
}
