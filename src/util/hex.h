/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a hexadecimal digit, of either case, stands for, or -EINVAL. */
int hex_digit(char c);
