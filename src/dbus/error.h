/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Failures as D-Bus errors: org.hsvdpa.Error. and the name that api/errors.def has. The text is the detail, then a
 * line for each fault: its JSON pointer, what is wrong there, and its code in brackets. */

#include <systemd/sd-bus.h>

#include "inventory/error.h"

#define ERROR_PREFIX "org.hsvdpa.Error."

/* Answers the call m. faults: NULL if there are none. Returns 0, or a negative errno. */
int error_reply(sd_bus_message *m, const Failure *failure, const JsonFaults *faults);

/* Answers the call m that its arguments are wrong. */
int error_reply_faults(sd_bus_message *m, const JsonFaults *faults);

/* Answers with a failure that has no faults, and is told in printf's way. */
int error_replyf(sd_bus_message *m, ErrorCode code, int error, const char *format, ...) _printf_(4, 5);
