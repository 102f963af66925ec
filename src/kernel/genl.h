/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One generic netlink family over one socket: requests go out one by one, and each waits for its answer.
 *
 * The kernel does the work of a request inside sendmsg(), and that of one family one after the other: from more
 * sockets there is nothing to be gained but that other work goes on beside it (kernel/maker.h). Not for two threads
 * at once. */

#include <netlink/msg.h>

#include "util/macro.h"

/* Room for the kernel's explanation of an error. */
#define EXTACK_MAX 192

typedef struct GenlSocket GenlSocket;

/* What becomes of an answer. A negative errno from reply() becomes the result of the request; the rest of the
 * answer is read all the same, without it. */
typedef struct GenlHandler {
        int (*reply)(void *userdata, struct nlmsghdr *m);
        void (*restart)(void *userdata); /* a dump begins again: forget what was told so far */
        void *userdata;
} GenlHandler;

/* family: static. The socket is opened and the family looked up when they are needed first, and again after
 * anything went wrong with them: the module may be loaded, or loaded again, at any time. Returns 0 or -ENOMEM. */
int genl_socket_new(const char *family, GenlSocket **ret);
GenlSocket *genl_socket_free(GenlSocket *s);
DEFINE_CLEANUP(GenlSocket *, genl_socket_free)

/* The number of the command that is being asked of the kernel just now, or -1. On any thread. */
int genl_socket_command(const GenlSocket *s);

/* Makes a request without attributes, whose family is filled in when it is sent. Returns 0, or -ENOMEM. */
int genl_build(uint8_t command, uint8_t version, int flags, struct nl_msg **ret);

static inline _unused_ void nlmsg_freep(struct nl_msg **m) {
        nlmsg_free(*m);
}

/* Opens the socket and looks the family up, if that has not been done. Returns 0; -EPROTONOSUPPORT: the kernel
 * has no such family; another negative errno: there is no socket to be had. */
int genl_socket_open(GenlSocket *s);

/* Sends the request, which stays the caller's, and reads the whole answer. handler: NULL if the answer is only
 * yes or no; its restart may be NULL unless the request is a dump. extack gets the kernel's own words, "" if it
 * has none; they may also come with success. Returns what the kernel answers, 0 or a negative errno; or as
 * genl_socket_open(); or -ETIMEDOUT or another negative errno if the answer could not be read. */
int genl_socket_request(GenlSocket *s, struct nl_msg *request, const GenlHandler *handler, char extack[EXTACK_MAX]);
