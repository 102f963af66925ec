/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/placement-json.h"

#include "util/json.h"

static json_t *encode_reasons(const Candidate *c) {
        _cleanup_json_ json_t *array = json_array();

        for (Obstacle o = 0; array && o < _OBSTACLE_MAX; o++) {
                char reason[CANDIDATE_REASON_MAX];

                if (candidate_has_obstacle(c, o) &&
                    json_array_append_new(array, json_pack("{s:s, s:o}", "code", candidate_code(o), "detail",
                                                           json_text(candidate_reason(c, o, reason)))) < 0)
                        return NULL;
        }

        return TAKE_PTR(array);
}

static json_t *encode_candidate(const Candidate *c, PlacementPolicy policy) {
        bool fits = c->obstacles == 0;

        return json_pack("{s:o, s:b, s:o*, s:o}", "mgmtdev", json_text(c->mgmtdev->info.handle), "fits", fits,
                         "score", fits ? json_integer(candidate_score(c, policy)) : NULL, "reasons",
                         encode_reasons(c));
}

json_t *placement_encode_candidates(const Placement *p) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; array && i < p->n; i++)
                if (json_array_append_new(array, encode_candidate(&p->candidates[i], p->policy)) < 0)
                        return NULL;

        return TAKE_PTR(array);
}

static json_t *encode_needs(const Candidate *c) {
        _cleanup_json_ json_t *object = json_object();

        for (Resource r = 0; object && r < _RESOURCE_MAX; r++)
                if (json_object_set_new(object, resource_name(r), json_integer(candidate_takes(c, r))) < 0)
                        return NULL;

        return TAKE_PTR(object);
}

json_t *placement_encode_plan(const Placement *p, const Device *device) {
        const Candidate *c = &p->chosen;

        /* clang-format off */
        return json_pack("{s:b, s:b, s:o, s:o, s:o, s:o*}",
                         "dry_run", true,
                         "exists", device != NULL,
                         "mgmtdev", json_text(c->mgmtdev->info.handle),
                         "needs", encode_needs(c),
                         "candidates", placement_encode_candidates(p),
                         "candidates_omitted", p->n_omitted > 0 ? json_integer((json_int_t) p->n_omitted) : NULL);
        /* clang-format on */
}
