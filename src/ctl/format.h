/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The forms in which an answer can be had. */

#include <errno.h>
#include <stdbool.h>

typedef enum Format {
        FORMAT_TABLE,
        FORMAT_WIDE,
        FORMAT_JSON,
        FORMAT_YAML,
        _FORMAT_MAX,
        _FORMAT_INVALID = -EINVAL,
} Format;

/* By name; _FORMAT_INVALID if there is none of that name. */
Format format_parse(const char *name);

const char *format_name(Format format);

/* True for those that programs read: the whole answer, in the daemon's words. */
bool format_is_document(Format format);
