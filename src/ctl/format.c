/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/format.h"

#include <string.h>

static const char *const names[_FORMAT_MAX] = {
        [FORMAT_TABLE] = "table",
        [FORMAT_WIDE] = "wide",
        [FORMAT_JSON] = "json",
        [FORMAT_YAML] = "yaml",
};

Format format_parse(const char *name) {
        for (int i = 0; i < _FORMAT_MAX; i++)
                if (strcmp(names[i], name) == 0)
                        return (Format) i;
        return _FORMAT_INVALID;
}

const char *format_name(Format format) {
        return names[format];
}

bool format_is_document(Format format) {
        return format == FORMAT_JSON || format == FORMAT_YAML;
}
