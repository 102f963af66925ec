/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Device classes: virtio device types, by the number of the virtio specification (section 5) and a name. A
 * management device's set of classes is a bitmap of numbers, as the kernel gives it: 1 to 63. */

#include <stdbool.h>
#include <stdint.h>

#define CLASS_NET   1u
#define CLASS_BLOCK 2u
#define CLASS_MAX   63u

/* The class's name, or NULL if the specification's number has none here. */
const char *class_name(unsigned class);

/* By name, or by number ("25"). Returns 0, or -EINVAL. */
int class_parse(const char *text, unsigned *ret);

/* The name if there is one, else the number; writes to buffer (at least 16 bytes) and returns it. */
const char *class_format(unsigned class, char *buffer);

/* The virtqueues of a device of the class that do not depend on a feature; of net devices: of one pair. */
unsigned class_n_vqs(unsigned class);
