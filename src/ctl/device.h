/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of hsvdpactl device, and what they share. */

#include "ctl/command.h"

ExitCode device_list(Context *context, const Arguments *arguments);
ExitCode device_show(Context *context, const Arguments *arguments);
ExitCode device_stats(Context *context, const Arguments *arguments);
ExitCode device_create(Context *context, const Arguments *arguments);
ExitCode device_set(Context *context, const Arguments *arguments);
ExitCode device_renew(Context *context, const Arguments *arguments);
ExitCode device_adopt(Context *context, const Arguments *arguments);
ExitCode device_delete(Context *context, const Arguments *arguments);
ExitCode device_wait(Context *context, const Arguments *arguments);

/* "NAME: created; ready on MGMTDEV, /dev/vhost-vdpa-7" */
ExitCode device_print_line(const Screen *screen, const HsvValue *device, const char *what);

/* The end of a change: r and document are what a call of the client gave; the document is freed. what: the word for
 * it.
 */
ExitCode device_output_change(Context *context, int r, HsvDocument *document, const char *subject,
                              const char *what);

/* The inventory's revision. Returns as calls of the client do. */
int device_get_revision(HsvClient *client, uint64_t *ret);

/* What --uid and --generation say. Returns EXIT_CODE_OK, or what was reported. */
ExitCode device_condition(const Arguments *arguments, HsvCondition *ret);

/* As report_failure(), for a request that changes something, and may have done so without our knowing. */
ExitCode device_report_change(const Context *context, int r, const char *subject);
