/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The handlers of all routes; see http/router.c for which is which. */

#include "http/input.h"
#include "http/request.h"

void http_batch_create(HttpRequest *r, HttpInput *in);
void http_batch_delete(HttpRequest *r, HttpInput *in);
void http_device_list(HttpRequest *r, HttpInput *in);
void http_device_post(HttpRequest *r, HttpInput *in);
void http_device_get(HttpRequest *r, HttpInput *in);
void http_device_put(HttpRequest *r, HttpInput *in);
void http_device_patch(HttpRequest *r, HttpInput *in);
void http_device_delete(HttpRequest *r, HttpInput *in);
void http_device_renew(HttpRequest *r, HttpInput *in);
void http_device_get_stats(HttpRequest *r, HttpInput *in);
void http_events_get(HttpRequest *r, HttpInput *in);
void http_mgmtdev_list(HttpRequest *r, HttpInput *in);
void http_mgmtdev_get(HttpRequest *r, HttpInput *in);
void http_mgmtdev_patch(HttpRequest *r, HttpInput *in);
void http_pool_list(HttpRequest *r, HttpInput *in);
void http_pool_get(HttpRequest *r, HttpInput *in);
void http_pool_put(HttpRequest *r, HttpInput *in);
void http_pool_delete(HttpRequest *r, HttpInput *in);
void http_pool_claim(HttpRequest *r, HttpInput *in);
void http_pool_return(HttpRequest *r, HttpInput *in);
void http_device_adopt(HttpRequest *r, HttpInput *in);
void http_drift_repair(HttpRequest *r, HttpInput *in);
void http_drift_list(HttpRequest *r, HttpInput *in);
void http_host_get(HttpRequest *r, HttpInput *in);
void http_backup_get(HttpRequest *r, HttpInput *in);
void http_health_get(HttpRequest *r, HttpInput *in);
void http_ready_get(HttpRequest *r, HttpInput *in);
void http_metrics_get(HttpRequest *r, HttpInput *in);
void http_openapi_get(HttpRequest *r, HttpInput *in);
