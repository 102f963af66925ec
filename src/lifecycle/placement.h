/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a new device goes: the management device that its spec names, or the one that suits best, by the policy, of
 * those that can make it. */

#include "lifecycle/candidate.h"
#include "lifecycle/verb.h"

/* More candidates than this are looked at like the others, and not listed. */
#define PLACEMENT_CANDIDATES_MAX 64

/* What was found for one device. Everything in it is borrowed: it lives no longer than the call it is given to. */
typedef struct Placement {
        const DeviceSpec *spec;
        PlacementPolicy policy;
        Candidate chosen; /* its mgmtdev is NULL: none fits */
        bool is_hopeless; /* none would fit if nobody else were there */
        size_t n;         /* listed, in order of handle */
        size_t n_omitted;
        Candidate candidates[PLACEMENT_CANDIDATES_MAX];
} Placement;

/* Looks at all candidates for the spec, or at the one that it names, if that is there. policy: unless the spec has
 * one. Pure: what it costs grows with the number of management devices only. */
void placement_find(Inventory *inventory, const DeviceSpec *spec, PlacementPolicy policy, uint64_t now_usec,
                    Placement *ret);

/* The same for a create verb. False: the verb was answered with the reason, of each candidate if there are several;
 * or it waits for a look at the host, because the management device that it names is not known. */
bool placement_choose(Verb *verb, Placement *ret);

/* The place that a device has, and what it holds there. */
void placement_keep(Device *device, Placement *ret);

/* Why none fits, as one sentence: the first reason of each candidate that would fit if it had more room, or of each
 * if there is no such one. Those for which there is no space are counted. Returns buffer. */
const char *placement_describe(const Placement *p, char *buffer, size_t size);
