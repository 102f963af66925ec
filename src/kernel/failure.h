/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernel's error numbers mean to a user. */

#include "inventory/error.h"

/* A few words for an errno of either sign; also for those that only exist inside the kernel. Never NULL. */
const char *kernel_error_text(int error);

/* The code of a command that failed with it. not_found: what it means that something is not there (ENODEV). */
ErrorCode kernel_error_code(int error, ErrorCode not_found);

int kernel_failure_oom(Failure *f);
int kernel_failure_no_device(Failure *f, const char *name);

/* Of reading what sysfs has about a device. ENODEV means that it is not there. */
int kernel_failure_sysfs(Failure *f, const char *name, int error);
