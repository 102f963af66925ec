/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* Decodes "%HH" in place; returns the new length. "%00" stays as it is: decoded it would cut the text, and a
 * request would act on another name than the one it shows. So does what is not a sequence at all. */
size_t url_unescape(char *text);
