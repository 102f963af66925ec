/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON as YAML, in block style. A string that some version of YAML would read as something else (a MAC address, a
 * date, "no") is quoted. */

/* The YAML text of a JSON text, to be freed; NULL when out of memory or if it is not JSON. */
char *yaml_from_json(const char *json);
