/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A fault is what hardware raises when a driver breaks its rules: the command has no effect, and the management
 * device keeps count of it, in the file, for as long as it is plugged in. */

#include "sim/model-state.h"

/* format and the rest: which rule, with the numbers, first. Fills f (which may be NULL) and returns -EIO. */
int model_raise_fault(Model *model, unsigned mgmtdev, Failure *f, const char *format, ...) _printf_(4, 5);

/* Whether it can be the text of a fault, or of none: it is told to others. */
bool model_fault_is_valid(const char text[MODEL_FAULT_MAX]);
