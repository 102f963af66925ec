/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/vq-groups.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/resource.h"

int vq_groups_append(VqGroups *g, uint16_t group) {
        bool is_new = g->n_runs == 0 || g->runs[g->n_runs - 1].group != group;

        if (g->n_vqs >= DEVICE_VQS_MAX || (is_new && g->n_runs >= VQ_GROUP_RUNS_MAX))
                return -ENOSPC;

        if (is_new)
                g->runs[g->n_runs++] = (VqGroupRun){ .group = group };
        g->runs[g->n_runs - 1].n_vqs++;
        g->n_vqs++;
        return 0;
}

char *vq_groups_format(const VqGroups *g, char buffer[VQ_GROUPS_TEXT_MAX]) {
        size_t n = 0;

        buffer[0] = '\0';
        for (unsigned i = 0; i < g->n_runs; i++)
                n += (size_t) snprintf(buffer + n, VQ_GROUPS_TEXT_MAX - n, "%s%u*%u", i > 0 ? "+" : "",
                                       g->runs[i].n_vqs, g->runs[i].group);
        return buffer;
}

static int append_run(VqGroups *g, unsigned n_vqs, unsigned group) {
        int r = 0;

        if (n_vqs == 0 || n_vqs > DEVICE_VQS_MAX || group > UINT16_MAX)
                return -EINVAL;
        while (n_vqs-- > 0 && r >= 0)
                r = vq_groups_append(g, (uint16_t) group);
        return r < 0 ? -EINVAL : 0;
}

int vq_groups_parse(const char *text, VqGroups *ret) {
        char again[VQ_GROUPS_TEXT_MAX];
        const char *p = text;
        VqGroups g = {};
        unsigned n_vqs, group;
        int end;

        while (*p) {
                if (sscanf(p, "%9u*%9u%n", &n_vqs, &group, &end) != 2 || append_run(&g, n_vqs, group) < 0)
                        return -EINVAL;
                p += end;
                if (*p == '+')
                        p++;
        }

        /* Each has one form, so that whatever else there is in between is found. */
        if (strcmp(vq_groups_format(&g, again), text) != 0)
                return -EINVAL;
        *ret = g;
        return 0;
}
