/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/kobject-monitor.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/clock.h"

/* The multicast group of the kernel; udev's is another one. */
#define GROUP_KERNEL 1

/* The kernel's messages have 2 KiB at most, and mostly 200 bytes. */
#define MESSAGE_MAX 4096

/* What is read with one call. */
#define N_MESSAGES 16

/* In one turn of the loop. */
#define CALLS_MAX 32

#define INTERVAL_USEC (10 * USEC_PER_MSEC)

/* Two for each device that is made, of some KiB with all that the kernel keeps of them: room for 10,000 devices at
 * once, of which nothing is taken unless they come. */
#define RECEIVE_BUFFER (128 * 1024 * 1024)

struct KobjectMonitor {
        const char *subsystem; /* borrowed */
        KobjectCall call;
        void *userdata; /* weak */
        int fd;
        sd_event_source *source;

        struct mmsghdr headers[N_MESSAGES];
        struct iovec vectors[N_MESSAGES];
        struct sockaddr_nl senders[N_MESSAGES];
        char messages[N_MESSAGES][MESSAGE_MAX + 1];
};

/* NULL: it has no such line. */
static const char *get_value(const char *line, const char *key) {
        size_t n = strlen(key);

        return strncmp(line, key, n) == 0 && line[n] == '=' ? line + n + 1 : NULL;
}

bool kobject_event_parse(const char *message, size_t n, const char *subsystem, KobjectEvent *ret) {
        const char *action = NULL, *path = NULL, *name = NULL, *value;
        bool is_wanted = false;
        uint64_t seqnum = 0;

        /* The first line says the same in another way. */
        for (const char *line = message; line < message + n; line += strlen(line) + 1)
                if ((value = get_value(line, "ACTION")))
                        action = value;
                else if ((value = get_value(line, "DEVPATH")))
                        path = value;
                else if ((value = get_value(line, "SUBSYSTEM")))
                        is_wanted = strcmp(value, subsystem) == 0;
                else if ((value = get_value(line, "SEQNUM")))
                        seqnum = strtoull(value, NULL, 10);

        if (path)
                name = strrchr(path, '/');
        if (!is_wanted || !action || !name || seqnum == 0)
                return false;

        *ret = (KobjectEvent){ .action = action, .name = name + 1, .seqnum = seqnum };
        return true;
}

static void on_message(KobjectMonitor *m, unsigned i) {
        size_t n = m->headers[i].msg_len;
        KobjectEvent event;

        /* Others can send to the group, too. */
        if (m->senders[i].nl_pid != 0 || m->headers[i].msg_hdr.msg_flags & MSG_TRUNC)
                return;
        m->messages[i][n] = '\0';
        if (kobject_event_parse(m->messages[i], n, m->subsystem, &event))
                m->call(m->userdata, &event);
}

/* Returns how many there were, or a negative errno. */
static int receive(KobjectMonitor *m) {
        int n;

        for (unsigned i = 0; i < N_MESSAGES; i++)
                m->headers[i].msg_hdr.msg_namelen = sizeof m->senders[i];
        n = recvmmsg(m->fd, m->headers, N_MESSAGES, MSG_DONTWAIT, NULL);
        return n < 0 ? -errno : n;
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        KobjectMonitor *m = userdata;

        for (unsigned n_calls = 0; n_calls < CALLS_MAX; n_calls++) {
                int n = receive(m);

                if (n == -ENOBUFS)
                        m->call(m->userdata, NULL);
                for (int i = 0; i < n; i++)
                        on_message(m, (unsigned) i);
                if (n != N_MESSAGES && n != -ENOBUFS)
                        break;
        }
        return 0;
}

static void prepare_headers(KobjectMonitor *m) {
        for (unsigned i = 0; i < N_MESSAGES; i++) {
                m->vectors[i] = (struct iovec){ .iov_base = m->messages[i], .iov_len = MESSAGE_MAX };
                m->headers[i].msg_hdr.msg_iov = &m->vectors[i];
                m->headers[i].msg_hdr.msg_iovlen = 1;
                m->headers[i].msg_hdr.msg_name = &m->senders[i];
        }
}

static int open_socket(KobjectMonitor *m) {
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL };
        const int size = RECEIVE_BUFFER;

        m->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
        if (m->fd < 0)
                return -errno;
        /* Takes CAP_NET_ADMIN; with less room more has to be looked at again. */
        (void) setsockopt(m->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
        return bind(m->fd, (const struct sockaddr *) &address, sizeof address) < 0 ? -errno : 0;
}

int kobject_monitor_new(sd_event *event, const char *subsystem, KobjectCall call, void *userdata,
                        KobjectMonitor **ret) {
        _cleanup_(kobject_monitor_freep) KobjectMonitor *m = calloc(1, sizeof *m);
        int r;

        if (!m)
                return -ENOMEM;
        m->subsystem = subsystem;
        m->call = call;
        m->userdata = userdata;
        prepare_headers(m);
        r = open_socket(m);
        if (r >= 0)
                r = sd_event_add_io(event, &m->source, m->fd, EPOLLIN, on_readable, m);
        if (r >= 0)
                r = sd_event_source_set_ratelimit(m->source, INTERVAL_USEC, 1);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

KobjectMonitor *kobject_monitor_free(KobjectMonitor *m) {
        if (!m)
                return NULL;

        sd_event_source_disable_unref(m->source);
        if (m->fd >= 0)
                (void) close(m->fd);
        free(m);
        return NULL;
}
