/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who has a file locked, for a message to whoever finds that it is. */

#include <stddef.h>

/* Writes what is known of the process that has the file locked by flock(2): "process 4711", and that it was killed
 * and the kernel does not let go of it, if so. "another process" if nothing is. */
void lock_holder_describe(int fd, char *buffer, size_t size);
