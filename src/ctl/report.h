/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What went wrong, on standard error, with a hint what to do next, and as an exit code. */

#include <hsvdpa/client.h>
#include <stdio.h>

#include "util/macro.h"

typedef enum ExitCode {
        EXIT_CODE_OK,
        EXIT_CODE_REFUSED,
        EXIT_CODE_USAGE,
        EXIT_CODE_UNREACHABLE,
        EXIT_CODE_NOT_FOUND,
        EXIT_CODE_NO_ANSWER,
        EXIT_CODE_LOCAL,
        EXIT_CODE_PARTIAL,
        EXIT_CODE_TIMEOUT,
        _EXIT_CODE_MAX,
} ExitCode;

/* What the code means; for the help. */
const char *exit_code_text(ExitCode code);

/* Reports what a call of the client with return value r (not 0) failed with. subject: "device vm1", or
 * NULL. */
ExitCode report_failure(const HsvClient *client, int r, const char *subject);

/* Writes the report to file and returns the exit code, for an error that no client need have. last_hint: no hint if
 * it is this one, which was given before; set to the one there is. NULL: always with the hint. */
ExitCode report_print(FILE *file, const HsvError *error, int r, const char *subject, const char **last_hint);

/* Of one result of several in an answer: whether it failed; and the report of that. problem: what has its detail
 * and its code. */
bool report_is_failure(const HsvValue *result);
ExitCode report_result(const HsvValue *result, const HsvValue *problem);

/* A mistake in the command line, or in what it says. */
ExitCode report_usage(const char *format, ...) _printf_(1, 2);

ExitCode report_oom(void);
