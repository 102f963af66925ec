/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls about what is not as it should be. */

#include "client/request.h"

int hsv_drift_repair(HsvClient *client, const char *request, bool dry_run, HsvDocument **ret) {
        _cleanup_json_ json_t *body = NULL;
        int r;

        r = client_parse_object(client, "request", request, &body);
        if (r < 0)
                return r;
        return client_call(client,
                           &(Request){ .method = "POST",
                                       .path = dry_run ? "/v1/drift:repair?dry_run=true" : "/v1/drift:repair",
                                       .body = body },
                           NULL, ret);
}
