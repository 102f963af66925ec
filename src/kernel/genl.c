/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/genl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The kernel makes the pieces of a dump as large as the largest read that it has seen, up to this. */
#define READ_SIZE      (32 * 1024)
#define RECEIVE_BUFFER (1024 * 1024)

/* The answer is there when sendmsg() returns; this only keeps a lost one from hanging us for ever. */
#define REPLY_TIMEOUT_SEC 10

/* A dump that others keep disturbing is given up after so many attempts. */
#define DUMP_ATTEMPTS 5

struct GenlSocket {
        atomic_int command; /* under way; -1: none */
        const char *family;
        struct nl_sock *socket; /* NULL: not open */
        int family_id;
};

/* One request under way. */
typedef struct Exchange {
        const GenlHandler *handler;
        char *extack;
        uint32_t seq;
        bool done;
        bool interrupted; /* the pieces of the dump do not fit together */
        int result;       /* of the kernel */
        int handler_result;
} Exchange;

static void nl_socket_freep(struct nl_sock **s) {
        nl_socket_free(*s);
}

int genl_socket_new(const char *family, GenlSocket **ret) {
        GenlSocket *s = malloc(sizeof *s);

        if (!s)
                return -ENOMEM;

        *s = (GenlSocket){ .command = -1, .family = family };
        *ret = s;
        return 0;
}

static void disconnect(GenlSocket *s) {
        nl_socket_free(s->socket);
        s->socket = NULL;
}

GenlSocket *genl_socket_free(GenlSocket *s) {
        if (s) {
                disconnect(s);
                free(s);
        }
        return NULL;
}

/* libnl folds many errno values into few of its own; errno still has the exact one. Clear it before the call. */
static int exact_errno(void) {
        return errno > 0 ? -errno : -EIO;
}

static int set_up(struct nl_sock *socket) {
        const struct timeval timeout = { .tv_sec = REPLY_TIMEOUT_SEC };
        const int on = 1;
        int fd;

        errno = 0;
        if (genl_connect(socket) < 0)
                return exact_errno();
        fd = nl_socket_get_fd(socket);
        if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on) < 0 ||
            setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0)
                return -errno;
        if (nl_socket_set_msg_buf_size(socket, READ_SIZE) < 0 ||
            nl_socket_set_buffer_size(socket, RECEIVE_BUFFER, 0) < 0)
                return exact_errno();

        /* There is room for every piece: none needs to be looked at before it is read. */
        nl_socket_disable_msg_peek(socket);
        /* Where there is an answer, nobody needs to be told that it was given. */
        nl_socket_disable_auto_ack(socket);
        /* We compare sequence numbers ourselves; libnl's own check would wait for the answers that we read. */
        nl_socket_disable_seq_check(socket);
        return 0;
}

int genl_build(uint8_t command, uint8_t version, int flags, struct nl_msg **ret) {
        _cleanup_(nlmsg_freep) struct nl_msg *m = nlmsg_alloc();

        if (!m || !genlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, 0, 0, flags, command, version))
                return -ENOMEM;

        *ret = TAKE_PTR(m);
        return 0;
}

int genl_socket_open(GenlSocket *s) {
        _cleanup_(nl_socket_freep) struct nl_sock *socket = NULL;
        int r;

        if (s->socket)
                return 0;

        socket = nl_socket_alloc();
        if (!socket)
                return -ENOMEM;
        r = set_up(socket);
        if (r < 0)
                return r;

        errno = 0;
        r = genl_ctrl_resolve(socket, s->family);
        if (r == -NLE_OBJ_NOTFOUND)
                return -EPROTONOSUPPORT;
        if (r < 0)
                return exact_errno();

        s->family_id = r;
        s->socket = TAKE_PTR(socket);
        return 0;
}

/* Without the full stop that some messages have: it becomes part of a sentence. */
static void take_extack(Exchange *x, const struct nlattr *attrs, int length) {
        const struct nlattr *a = nla_find(attrs, length, NLMSGERR_ATTR_MSG);
        size_t n;

        if (!a)
                return;

        (void) snprintf(x->extack, EXTACK_MAX, "%.*s", nla_len(a), (const char *) nla_data(a));
        n = strlen(x->extack);
        while (n > 0 && strchr(". \n", x->extack[n - 1]))
                x->extack[--n] = '\0';
}

/* An acknowledgement, good or bad: the code, the request (or its header only), and then the words. */
static int take_error(Exchange *x, struct nlmsghdr *m) {
        const struct nlmsgerr *e = nlmsg_data(m);
        size_t skip = sizeof *e, length = (size_t) nlmsg_datalen(m);

        if (length < sizeof *e)
                return -EBADMSG;
        if (!(m->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > NLMSG_HDRLEN)
                skip += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
        if ((m->nlmsg_flags & NLM_F_ACK_TLVS) && skip < length)
                take_extack(x, (void *) ((char *) nlmsg_data(m) + skip), (int) (length - skip));

        x->result = e->error;
        x->done = true;
        return 0;
}

/* The end of a dump: the code, and then the words. */
static int take_done(Exchange *x, struct nlmsghdr *m) {
        const int *error = nlmsg_data(m);
        size_t length = (size_t) nlmsg_datalen(m);

        if (length >= sizeof *error)
                x->result = *error;
        if ((m->nlmsg_flags & NLM_F_ACK_TLVS) && length > sizeof *error)
                take_extack(x, (void *) (error + 1), (int) (length - sizeof *error));

        x->done = true;
        return 0;
}

static int take_message(Exchange *x, struct nlmsghdr *m) {
        /* Left over from an exchange that was given up. */
        if (m->nlmsg_seq != x->seq)
                return 0;
        if (m->nlmsg_flags & NLM_F_DUMP_INTR)
                x->interrupted = true;

        if (m->nlmsg_type == NLMSG_ERROR)
                return take_error(x, m);
        if (m->nlmsg_type == NLMSG_DONE)
                return take_done(x, m);
        if (m->nlmsg_type == NLMSG_OVERRUN)
                return -ENOBUFS;

        if (m->nlmsg_type < NLMSG_MIN_TYPE || !x->handler)
                return 0;
        if (x->handler_result >= 0)
                x->handler_result = x->handler->reply(x->handler->userdata, m);
        x->done = !(m->nlmsg_flags & NLM_F_MULTI);
        return 0;
}

static int receive(GenlSocket *s, Exchange *x) {
        _cleanup_free_ unsigned char *buffer = NULL;
        struct sockaddr_nl from = {};
        int n, r;

        errno = 0;
        n = nl_recv(s->socket, &from, &buffer, NULL);
        if (n == 0 || (n < 0 && errno == EAGAIN))
                return -ETIMEDOUT;
        if (n < 0)
                return exact_errno();
        /* Anybody may send to a netlink port, only the kernel has number 0. */
        if (from.nl_pid != 0)
                return 0;

        for (struct nlmsghdr *m = (void *) buffer; nlmsg_ok(m, n) && !x->done; m = nlmsg_next(m, &n)) {
                r = take_message(x, m);
                if (r < 0)
                        return r;
        }

        return 0;
}

int genl_socket_command(const GenlSocket *s) {
        return atomic_load(&s->command);
}

/* Returns 0 if the kernel's answer was read, whatever it is; it is in x then. */
static int exchange(GenlSocket *s, struct nl_msg *request, Exchange *x) {
        struct nlmsghdr *m = nlmsg_hdr(request);
        int r;

        r = genl_socket_open(s);
        if (r < 0)
                return r;

        x->extack[0] = '\0';
        m->nlmsg_type = (uint16_t) s->family_id;
        m->nlmsg_seq = x->seq = nl_socket_use_seq(s->socket);
        if (!x->handler)
                m->nlmsg_flags |= NLM_F_ACK;
        errno = 0;
        atomic_store(&s->command, ((struct genlmsghdr *) nlmsg_data(m))->cmd);
        if (nl_send_auto(s->socket, request) < 0)
                r = exact_errno();
        while (r >= 0 && !x->done)
                r = receive(s, x);
        atomic_store(&s->command, -1);
        if (r < 0)
                disconnect(s);

        return r;
}

int genl_socket_request(GenlSocket *s, struct nl_msg *request, const GenlHandler *handler,
                        char extack[EXTACK_MAX]) {
        bool reconnected = false;
        Exchange x;
        int r;

        for (unsigned attempt = 1; attempt <= DUMP_ATTEMPTS; attempt++) {
                x = (Exchange){ .handler = handler, .extack = extack };
                if (attempt > 1 && handler && handler->restart)
                        handler->restart(handler->userdata);

                r = exchange(s, request, &x);
                /* Nothing was done yet if the family has another number now, as after a reload of its module. */
                if (r >= 0 && x.result == -ENOENT && !reconnected) {
                        disconnect(s);
                        reconnected = true;
                        continue;
                }
                if (r == -ENOBUFS && (nlmsg_hdr(request)->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP)
                        continue;
                if (r < 0)
                        return r;
                if (!x.interrupted)
                        return x.result < 0 ? x.result : x.handler_result;
        }

        return r < 0 ? r : -EAGAIN;
}
