/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What a hexadecimal digit, of either case, stands for, or -EINVAL. */
int hex_digit(char c);

/* Writes 2 * n digits, and a NUL; returns where that is. */
char *hex_format(const uint8_t *bytes, size_t n, char *ret);
