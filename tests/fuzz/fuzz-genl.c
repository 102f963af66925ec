/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What comes out of the netlink socket as the answer to a request: whole packets of any bytes, with the kernel's
 * words about errors in them. Instead of libnl the input answers. */
#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "kernel/genl.h"

#define SEQ 77u

int __wrap_genl_connect(struct nl_sock *s);
int __wrap_genl_ctrl_resolve(struct nl_sock *s, const char *name);
int __wrap_nl_socket_set_buffer_size(struct nl_sock *s, int receive, int send);
int __wrap_nl_send_auto(struct nl_sock *s, struct nl_msg *m);
unsigned __wrap_nl_socket_use_seq(struct nl_sock *s);
int __wrap_nl_recv(struct nl_sock *s, struct sockaddr_nl *from, unsigned char **buffer, struct ucred **creds);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size);

static FuzzInput *input;
static unsigned n_replies;

int __wrap_genl_connect(struct nl_sock *s) {
        return 0;
}

int __wrap_genl_ctrl_resolve(struct nl_sock *s, const char *name) {
        return 30;
}

int __wrap_nl_socket_set_buffer_size(struct nl_sock *s, int receive, int send) {
        return 0;
}

int __wrap_nl_send_auto(struct nl_sock *s, struct nl_msg *m) {
        return 1;
}

unsigned __wrap_nl_socket_use_seq(struct nl_sock *s) {
        return SEQ;
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size) {
        return 0;
}

/* One byte for the kind of packet, two for its length, then its bytes; at the end of the input nothing comes. */
int __wrap_nl_recv(struct nl_sock *s, struct sockaddr_nl *from, unsigned char **buffer, struct ucred **creds) {
        uint8_t kind = fuzz_take_byte(input);
        size_t n = fuzz_take_u16(input);

        if (kind >= 250 || input->size == 0) {
                errno = kind == 255 ? ENOBUFS : EAGAIN;
                return -1;
        }
        n = n < input->size ? n : input->size;
        *buffer = malloc(n + (n == 0));
        fuzz_expect(*buffer);
        memcpy(*buffer, input->data, n);
        input->data += n;
        input->size -= n;
        from->nl_pid = kind >= 240;
        return (int) n;
}

static int on_reply(void *userdata, struct nlmsghdr *m) {
        fuzz_expect(m->nlmsg_type >= NLMSG_MIN_TYPE && m->nlmsg_seq == SEQ);
        return ++n_replies > 100 ? -ENOSPC : 0;
}

static void on_restart(void *userdata) {
        n_replies = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        GenlHandler handler = { .reply = on_reply, .restart = on_restart };
        FuzzInput in = { data, size };
        uint8_t which = fuzz_take_byte(&in);
        char extack[EXTACK_MAX] = "";
        struct nl_msg *request;
        GenlSocket *s;
        int r;

        input = &in;
        n_replies = 0;
        fuzz_expect(genl_socket_new("vdpa", &s) == 0 &&
                    genl_build(1, 1, which & 1 ? NLM_F_DUMP : 0, &request) == 0);
        r = genl_socket_request(s, request, which & 2 ? &handler : NULL, extack);
        fuzz_expect(r <= 0 && memchr(extack, '\0', sizeof extack));
        nlmsg_free(request);
        genl_socket_free(s);
        return 0;
}
