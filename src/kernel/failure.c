/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/failure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Kernel drivers let it out, but no header for programs has it. */
#define KERNEL_ENOTSUPP 524

static const struct {
        int error;
        ErrorCode code;
} error_codes[] = {
        { EEXIST, ERROR_FOREIGN_DEVICE },
        { EOPNOTSUPP, ERROR_NOT_SUPPORTED },
        { KERNEL_ENOTSUPP, ERROR_NOT_SUPPORTED },
        { EINVAL, ERROR_NOT_SUPPORTED }, /* in answer to a message that is well-formed */
        { ENOSPC, ERROR_NO_CAPACITY },
        { EPERM, ERROR_PERMISSION_DENIED },
        { EACCES, ERROR_PERMISSION_DENIED },
        { EPROTONOSUPPORT, ERROR_BACKEND_UNAVAILABLE },
};

const char *kernel_error_text(int error) {
        const char *text = strerrordesc_np(abs(error));

        if (abs(error) == KERNEL_ENOTSUPP)
                return "Not supported by the driver";

        return text ? text : "Unknown error";
}

ErrorCode kernel_error_code(int error, ErrorCode not_found) {
        if (abs(error) == ENODEV)
                return not_found;
        for (size_t i = 0; i < ELEMENTSOF(error_codes); i++)
                if (error_codes[i].error == abs(error))
                        return error_codes[i].code;

        return ERROR_BACKEND_FAILED;
}

int kernel_failure_oom(Failure *f) {
        return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Out of memory.");
}

int kernel_failure_no_device(Failure *f, const char *name) {
        return failure_set(f, ERROR_DEVICE_NOT_FOUND, ENODEV, "The kernel has no vDPA device '%s'.", name);
}

int kernel_failure_sysfs(Failure *f, const char *name, int error) {
        if (abs(error) == ENODEV)
                return kernel_failure_no_device(f, name);

        return failure_set(f, ERROR_BACKEND_FAILED, error, "Could not read what sysfs says of '%s': %s.", name,
                           kernel_error_text(error));
}
