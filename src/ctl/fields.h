/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One JSON object as aligned lines of label and value. */

#include <hsvdpa/client.h>

#include "ctl/screen.h"

typedef struct Field {
        const char *label;
        const char *pointer;                    /* of the value; what is not there has no line */
        bool keep_null;                         /* a null says something too */
        bool is_hex;                            /* a number that is shown as 0x... */
        char *(*format)(const HsvValue *value); /* to be freed, NULL when out of memory; or NULL: as all values */
        Style (*style)(const char *text);       /* or NULL */
} Field;

/* Arrays are wrapped at the terminal's width; an object has a line for each member. Returns 0 or -ENOMEM. */
int fields_print(const Screen *screen, const HsvValue *object, const Field *fields, size_t n_fields);
