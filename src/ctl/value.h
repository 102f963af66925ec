/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON values as words for people. */

#include <hsvdpa/client.h>

/* Strings as they are (escaped), true and false as yes and no, null, absent and empty values as "-", the
 * elements of an array and the members of an object ("key=value", "key: element, element") with separator
 * between. To be freed; NULL when out of memory. */
char *value_format(const HsvValue *value, const char *separator);

/* The same, but of an array's elements what is at pointer in each. */
char *value_format_elements(const HsvValue *value, const char *pointer, const char *separator);
