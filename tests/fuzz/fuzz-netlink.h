/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A message of a generic netlink family out of any bytes: what the socket would hand on, which has checked no more
 * than that the length is right. */

#include <linux/genetlink.h>
#include <netlink/msg.h>
#include <string.h>

#include "fuzz.h"

/* Allocated, as large as it must be. The first byte that is left is the command, the rest the attributes; where
 * they are cut short, the message is too. */
static inline _unused_ struct nlmsghdr *fuzz_message(FuzzInput *in) {
        size_t size = 0, length;
        uint8_t command = fuzz_take_byte(in), cut = fuzz_take_byte(in);
        _cleanup_free_ char *attributes = fuzz_take_rest(in, &size);
        struct genlmsghdr generic = { .cmd = command, .version = 1 };
        struct nlmsghdr *m;

        length = NLMSG_HDRLEN + GENL_HDRLEN + size;
        /* A quarter of all have no room for the header of the family, or not all of it. */
        if (cut >= 192)
                length = NLMSG_HDRLEN + (cut & 3u);
        m = calloc(1, length > sizeof *m ? length : sizeof *m);
        fuzz_expect(m);
        *m = (struct nlmsghdr){ .nlmsg_len = (uint32_t) length, .nlmsg_type = 30, .nlmsg_seq = 1 };
        if (length >= NLMSG_HDRLEN + GENL_HDRLEN) {
                memcpy(nlmsg_data(m), &generic, sizeof generic);
                memcpy((char *) nlmsg_data(m) + GENL_HDRLEN, attributes, length - NLMSG_HDRLEN - GENL_HDRLEN);
        }
        return m;
}
