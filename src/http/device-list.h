/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/query.h"
#include "lifecycle/device-listing.h"

/* Reads the parameters of a listing; strings are borrowed from q. Faults are added to its list. now_revision: of
 * the inventory. */
void http_device_listing_decode(HttpQuery *q, uint64_t now_revision, DeviceListing *ret);

/* The page as the API answers it: JSON, the caller's to free(). NULL when out of memory. */
char *http_device_listing_page(const DeviceListing *l, Inventory *inventory);
