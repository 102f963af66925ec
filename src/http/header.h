/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What stands in header fields, decoded: pure functions. */

#include <stdbool.h>
#include <stdint.h>

/* A revision as an entity tag: quotes, up to 20 digits, and the NUL. */
#define ETAG_MAX 23

/* Writes the entity tag of revision to buffer, at least ETAG_MAX bytes; returns buffer. */
char *etag_format(uint64_t revision, char *buffer);

/* A revision as a plain number, written as we write it. Returns 0, or -EINVAL. */
int revision_parse(const char *text, uint64_t *ret);

/* If-Match: "N", one strong entity tag, or "*". Returns 0, with *ret_any set for "*", else with *ret_revision; or
 * -EINVAL. */
int if_match_parse(const char *value, bool *ret_any, uint64_t *ret_revision);

/* True if If-None-Match names the revision: "*", or a list of tags, strong or weak, that has it. */
bool if_none_match_has(const char *value, uint64_t revision);

/* True if a media type, parameters aside, is type. */
bool media_type_is(const char *value, const char *type);

/* True if a list has an item, whose parameters do not count: Accept a media type, Prefer "return=minimal". NULL has
 * none. */
bool list_names(const char *value, const char *item);

/* True if Accept-Encoding names the coding, and not in order to refuse it. NULL names none. */
bool accept_encoding_has(const char *value, const char *coding);

/* True if the Host field names this machine: localhost, 127.0.0.0/8 or [::1], with or without a port. A page of
 * the web whose name was rebound to 127.0.0.1 still sends the name that it was loaded from. */
bool host_is_loopback(const char *value);
