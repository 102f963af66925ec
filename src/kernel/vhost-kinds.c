/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/vhost-kinds.h"

#include <bsd/string.h>
#include <string.h>

#include "inventory/class.h"
#include "kernel/vdpa-uapi.h"

/* What those are is up to the programs that serve them. */
static bool differs_by_device(const char *mgmtdev) {
        return strcmp(mgmtdev, VDUSE_HANDLE) == 0;
}

VhostKind vhost_kind(const char *mgmtdev, const DeviceSpec *spec) {
        VhostKind kind = {
                .class = spec->class,
                .has_features = spec->has_features,
                .features = spec->has_features ? spec->features : 0,
        };

        if (spec->class == CLASS_NET) {
                kind.max_vqp = spec->net.max_vqp;
                kind.mtu = spec->net.mtu;
                kind.has_mac = spec->net.has_mac;
        }
        if (!differs_by_device(mgmtdev))
                (void) strlcpy(kind.mgmtdev, mgmtdev, sizeof kind.mgmtdev);
        return kind;
}

static bool kind_equal(const VhostKind *a, const VhostKind *b) {
        return strcmp(a->mgmtdev, b->mgmtdev) == 0 && a->class == b->class && a->max_vqp == b->max_vqp &&
               a->mtu == b->mtu && a->has_mac == b->has_mac && a->has_features == b->has_features &&
               a->features == b->features;
}

const VhostAnswers *vhost_kinds_find(const VhostKinds *k, const VhostKind *kind, uint64_t now_usec) {
        for (unsigned i = 0; i < k->n && kind->mgmtdev[0]; i++)
                if (now_usec - k->known[i].asked_usec < VHOST_KINDS_USEC && kind_equal(&k->known[i].kind, kind))
                        return &k->known[i].answers;

        return NULL;
}

/* One that was given no address may have got one all the same. */
bool vhost_answers_config(const VhostAnswers *answers, const DeviceSpec *spec, DeviceStatus *ret) {
        static const uint8_t none[6];
        const NetSpec *net = &answers->config.net;

        if (!answers->has_config ||
            (net->has_mac && !spec->net.has_mac && memcmp(net->mac, none, sizeof none) != 0))
                return false;

        *ret = answers->config;
        if (net->has_mac && spec->net.has_mac)
                memcpy(ret->net.mac, spec->net.mac, sizeof ret->net.mac);
        return true;
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
