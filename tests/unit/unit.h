/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every test program needs and none is about: the runner, a directory for each test, files, an event loop that
 * does not wait for ever. What does not work fails the test that runs. */

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "util/macro.h"

/* Runs what add() puts into the test case; each test has an empty directory, which is removed after it. Returns the
 * exit status. */
int unit_main(const char *name, void (*add)(TCase *tcase));

/* The directory of the test that runs, and a path in it, good until the next eight calls. */
const char *unit_directory(void);
const char *unit_path(const char *name);

/* The whole file, with a NUL behind it; the caller's to free. ret_size may be NULL. */
char *unit_read_file(const char *path, size_t *ret_size);
void unit_write_file(const char *path, const void *data, size_t size);

/* What is written to stderr from the beginning to the end; the caller's to free. */
void unit_capture_begin(void);
char *unit_capture_end(void);

/* Runs the loop until the condition holds; fails the test if that takes longer than a minute. */
void unit_run_until(sd_event *event, bool (*condition)(void *userdata), void *userdata);

/* A number below n, always the same ones in the same order: runs can be repeated. */
uint32_t unit_random(uint32_t n);

/* Valgrind makes everything much slower; what only repeats can be repeated less. */
bool unit_is_slow(void);

/* Whoever runs the tests has hours (contrib/run-tests --long): what is random can be tried more often. */
bool unit_is_long(void);
