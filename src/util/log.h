/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Logging: to the journal with fields when stderr is connected to it, else one line a message to stderr.
 * Levels are those of syslog(3): LOG_ERR needs a human, LOG_WARNING is degraded service, LOG_NOTICE a
 * change of state, LOG_INFO rare facts. Safe from any thread. */

#include <errno.h>
#include <syslog.h>

#include "util/macro.h"

/* Call once, before any thread is made. max_level: messages above it (less important) are dropped. */
void log_open(int max_level);

/* Afterwards, and from any thread. */
void log_set_max_level(int max_level);
int log_get_max_level(void);

/* Long enough for the ID of a request, with its NUL. */
#define LOG_REQUEST_ID_MAX 65

/* What the calling thread's messages are about from now on: they get the fields MGMTDEV, OWNER and REQUEST_ID. All
 * are copied; NULL or "": the messages are about no such thing. */
void log_set_context(const char *mgmtdev, const char *owner, const char *request_id);

/* They are about nothing in particular. */
void log_clear_context(void);

/* The ID of the request that the calling thread's messages are about, or "". */
const char *log_request_id(void);

/* Logs one message. error: 0, or an errno value of either sign, which %m in the format then names. field
 * and value: a journal field ("DEVICE", "MGMTDEV") and what to put there, or NULL. Returns -|error|, so that
 * callers can "return log_...()". What comes too often from one place is left out; see util/log-rate.h. */
int log_full(int level, int error, const char *field, const char *value, const char *format, ...) _printf_(5, 6);

#define log_debug(...)                         log_full(LOG_DEBUG, 0, NULL, NULL, __VA_ARGS__)
#define log_info(...)                          log_full(LOG_INFO, 0, NULL, NULL, __VA_ARGS__)
#define log_notice(...)                        log_full(LOG_NOTICE, 0, NULL, NULL, __VA_ARGS__)
#define log_warning(...)                       log_full(LOG_WARNING, 0, NULL, NULL, __VA_ARGS__)
#define log_error(...)                         log_full(LOG_ERR, 0, NULL, NULL, __VA_ARGS__)
#define log_warning_errno(error, ...)          log_full(LOG_WARNING, error, NULL, NULL, __VA_ARGS__)
#define log_error_errno(error, ...)            log_full(LOG_ERR, error, NULL, NULL, __VA_ARGS__)
#define log_oom()                              log_full(LOG_ERR, ENOMEM, NULL, NULL, "Out of memory")
#define log_device(level, error, name, ...)    log_full(level, error, "DEVICE", name, __VA_ARGS__)
#define log_mgmtdev(level, error, handle, ...) log_full(level, error, "MGMTDEV", handle, __VA_ARGS__)
