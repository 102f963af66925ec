/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A management device as the place of a new device: what speaks against it, in numbers, and how well it suits.
 *
 * Pure: it looks at the inventory and changes nothing, takes no memory and does no I/O. Words are made of it only
 * when somebody is to be told. */

#include "inventory/budget.h"

/* What can speak against one, in the order in which it is told. */
typedef enum Obstacle {
        OBSTACLE_CLASS,
        OBSTACLE_FEATURES,
        OBSTACLE_ATTRIBUTES, /* it does not take them when a device is created */
        OBSTACLE_MAX_VQS,    /* for one device */
        OBSTACLE_ONLY_BY_NAME,
        OBSTACLE_NUMA_NODE,
        OBSTACLE_LABELS,
        OBSTACLE_CORDONED,
        OBSTACLE_DEVICES, /* from here on as Resource */
        OBSTACLE_ASIDS,
        OBSTACLE_MSIS,
        OBSTACLE_VQS,
        _OBSTACLE_MAX,
} Obstacle;

typedef struct Candidate {
        Mgmtdev *mgmtdev;       /* weak */
        const DeviceSpec *spec; /* weak: what shall be made there */
        uint32_t obstacles;     /* bits of Obstacle; 0: it fits */
        bool is_hopeless;       /* it would not fit if nobody else were there either */
        uint32_t fullness;      /* of its scarcest resource with the device on it, in millionths */
        uint64_t missing_features;
        uint32_t missing_attributes; /* bits of MgmtdevAttribute */
        const char *missing_label;   /* weak: the key of the first one */
        Needs needs;                 /* this and the rest only if it has the class */
        uint32_t free_msis;          /* UINT32_MAX: not known */
        size_t n_shortages;
        Shortage shortages[_RESOURCE_MAX];
} Candidate;

/* Whether the device can be made there: for one that the spec names, and for one that has to be found. */
void candidate_evaluate(Candidate *c, Mgmtdev *m, const DeviceSpec *spec, uint64_t now_usec);

/* The one that a device is on, with what it holds there as its needs; nothing is evaluated. */
void candidate_hold(Candidate *c, Device *device);

static inline bool candidate_has_obstacle(const Candidate *c, Obstacle obstacle) {
        return c->obstacles >> obstacle & 1;
}

/* There must be one. */
static inline Obstacle candidate_first_obstacle(const Candidate *c) {
        return (Obstacle) __builtin_ctz(c->obstacles);
}

/* How many of a resource the device would take of one that fits. */
uint32_t candidate_takes(const Candidate *c, Resource r);

/* How well one suits that fits: 0 to CANDIDATE_SCORE_MAX, the higher the better. Spread prefers the one that will
 * be the least full, pack the one that will be the fullest. */
#define CANDIDATE_SCORE_MAX 1000000u
uint32_t candidate_score(const Candidate *c, PlacementPolicy policy);

/* Whether a suits better than b. What suits equally well goes by how many devices there are, and then by handle, so
 * that the answer is always the same. */
bool candidate_is_better(const Candidate *a, const Candidate *b, PlacementPolicy policy);

/* "no-capacity" and so on; the member of the spec that asks for too much, or NULL: the spec as a whole. */
const char *candidate_code(Obstacle obstacle);
const char *candidate_member(const Candidate *c, Obstacle obstacle);

/* Long enough for every reason. */
#define CANDIDATE_REASON_MAX 160

/* The obstacle, one of c's, in words: "msis: need 9, free 4 of 2048". Returns buffer. */
const char *candidate_reason(const Candidate *c, Obstacle obstacle, char buffer[static CANDIDATE_REASON_MAX]);
