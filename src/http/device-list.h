/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/query.h"
#include "http/request.h"
#include "lifecycle/device-listing.h"

/* Reads the parameters of a listing; strings are borrowed from q. Faults are added to its list. now_revision: of
 * the inventory. limit: of a listing that has none. */
void http_device_listing_decode(HttpQuery *q, uint64_t now_revision, int64_t limit, DeviceListing *ret);

/* The page as the API answers it: JSON, the caller's to free(). NULL when out of memory. */
char *http_device_listing_page(const DeviceListing *l, Inventory *inventory);

/* Answers the request with a device a line, and what a page has beside its items as the last one. It is never there
 * as a whole: the devices are looked up as the client takes them. l is copied; its strings are the request's. */
void http_reply_device_lines(HttpRequest *r, const DeviceListing *l, Inventory *inventory);
