/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Listening sockets by their addresses: "unix:PATH" and "tcp:HOST:PORT". */

/* Whether the address has one of the two forms. Returns 0, or -EINVAL. */
int listen_check(const char *address);

/* Makes the socket, bound and listening. A Unix socket that a dead daemon left behind is replaced; it is for its
 * owner and for the group hsvdpa, if there is one. TCP is for loopback addresses only: nobody is known there, so
 * whoever can reach it may do everything. What goes wrong is logged. Returns 0, or a negative errno. */
int listen_open(const char *address, int *ret);

/* Removes what listen_open() has left in the file system. */
void listen_remove(const char *address);
