/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What makes the getter of a property from one expression. */

#include <systemd/sd-bus.h>

/* The most objects that the bus' tree shows of a kind: a walk over all would take the bus' time, and the caller's.
 */
#define NODES_MAX 100

/* func: the getter of a property of *object, a Type, which is append(reply, ...). */
#define DEFINE_GETTER(func, Type, object, append, ...)                                                             \
        static int func(sd_bus *connection, const char *path, const char *interface, const char *property,         \
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {                              \
                Type *object = userdata;                                                                           \
                                                                                                                   \
                return append(reply, __VA_ARGS__);                                                                 \
        }
