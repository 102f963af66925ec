/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Listening sockets by their addresses: "unix:PATH" and "tcp:HOST:PORT". */

#include <stdbool.h>
#include <stddef.h>

/* Its members may use what is for them, if there is such a group. */
#define LISTEN_GROUP "hsvdpa"

/* Whether the address has one of the two forms. Returns 0, or -EINVAL. */
int listen_check(const char *address);

/* Makes the socket, bound and listening. A Unix socket that a dead daemon left behind is replaced; it is for its
 * owner and for the group hsvdpa, if there is one. TCP is for loopback addresses only: nobody is known there, so
 * whoever can reach it may do everything. What goes wrong is logged. Returns 0, or a negative errno. */
int listen_open(const char *address, int *ret);

/* The sockets that the service manager has made, sd_listen_fds(3): Unix, or TCP on a loopback address. They are the
 * service manager's: nothing of them is ever removed here. The caller frees the array, and closes what is in it.
 * What is wrong is logged. Returns 0, or a negative errno. */
int listen_inherit(int **ret, size_t *ret_n);

/* Whether the socket is at the address. Of Unix sockets only. */
bool listen_is_at(int fd, const char *address);

/* Removes what listen_open() has left in the file system. */
void listen_remove(const char *address);
