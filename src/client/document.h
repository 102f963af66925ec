/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An answer: the text as it came, and the values in it. An HsvValue is jansson's json_t by another name,
 * so that the installed header does not bind its users to jansson. */

#include <hsvdpa/client.h>
#include <jansson.h>

#include "util/macro.h"

/* Takes text over, n bytes with a NUL behind them, if it returns 0. Returns -EBADMSG if it is not a JSON
 * object, or -ENOMEM. */
int document_new(char *text, size_t n, HsvDocument **ret);
DEFINE_CLEANUP(HsvDocument *, hsv_document_free)

#define _cleanup_json_ _cleanup_(json_decrefp)
