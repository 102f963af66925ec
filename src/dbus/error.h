/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Failures as D-Bus errors: org.hsvdpa.Error. and the name that api/errors.def has. The text is the detail, then a
 * line for each fault: its JSON pointer, what is wrong there, and its code in brackets; and one for each thing that
 * speaks against a management device as the place of a device: its handle, what it is, and its code. */

#include <systemd/sd-bus.h>

#include "lifecycle/lifecycle.h"

#define ERROR_PREFIX "org.hsvdpa.Error."

/* Long enough for every error's name. */
#define ERROR_NAME_MAX 128

/* The name of the error. */
void error_name(ErrorCode code, char ret[static ERROR_NAME_MAX]);

/* The text of the error that a verb has failed with; the caller frees it. NULL: out of memory. */
char *error_format_outcome(const Outcome *outcome);

/* Answers the call m with what a verb has failed with. Returns 0, or a negative errno. */
int error_reply_outcome(sd_bus_message *m, const Outcome *outcome);

/* Answers the call m that its arguments are wrong. */
int error_reply_faults(sd_bus_message *m, const JsonFaults *faults);

/* Answers with a failure that has no faults, and is told in printf's way. */
int error_replyf(sd_bus_message *m, ErrorCode code, int error, const char *format, ...) _printf_(4, 5);
