/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The least that making vDPA devices takes: one netlink request after the other on one socket, and for virtio_vdpa,
 * since the kernel gives each new device to the first driver that takes it, two writes to sysfs.
 *
 * bare-netlink add N MGMTDEV PREFIX [virtio_vdpa]    makes PREFIX0 to PREFIX(N-1)
 * bare-netlink del N PREFIX                          deletes them
 *
 * Prints one JSON object: devices, seconds, per_second. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vdpa.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct nl_sock *sock;
static int family;

static uint64_t now_nsec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static void open_netlink(void) {
        sock = nl_socket_alloc();
        if (!sock || genl_connect(sock) < 0)
                errx(1, "cannot open netlink");
        family = genl_ctrl_resolve(sock, VDPA_GENL_NAME);
        if (family < 0)
                errx(1, "this kernel has no vDPA");
}

/* mgmtdev: BUS/DEVICE or DEVICE; NULL in a deletion. */
static void request(uint8_t command, const char *name, const char *mgmtdev) {
        struct nl_msg *m = nlmsg_alloc();
        const char *slash = mgmtdev ? strchr(mgmtdev, '/') : NULL;
        char bus[32];
        int r;

        if (!m || !genlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_REQUEST | NLM_F_ACK, command,
                               VDPA_GENL_VERSION))
                errx(1, "memory");
        if (slash) {
                (void) snprintf(bus, sizeof bus, "%.*s", (int) (slash - mgmtdev), mgmtdev);
                (void) nla_put_string(m, VDPA_ATTR_MGMTDEV_BUS_NAME, bus);
        }
        if (mgmtdev)
                (void) nla_put_string(m, VDPA_ATTR_MGMTDEV_DEV_NAME, slash ? slash + 1 : mgmtdev);
        (void) nla_put_string(m, VDPA_ATTR_DEV_NAME, name);
        r = nl_send_sync(sock, m);
        if (r < 0)
                errx(1, "%s: %s", name, nl_geterror(r));
}

static void write_file(const char *path, const char *text) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                err(1, "%s", path);
        (void) close(fd);
}

static void give_to(const char *name, const char *driver) {
        char path[128];

        write_file("/sys/bus/vdpa/drivers/vhost_vdpa/unbind", name);
        (void) snprintf(path, sizeof path, "/sys/bus/vdpa/drivers/%s/bind", driver);
        write_file(path, name);
}

int main(int argc, char **argv) {
        int is_add = argc >= 5 && strcmp(argv[1], "add") == 0;
        uint64_t begin;
        double seconds;
        unsigned long n;

        if (!is_add && (argc != 4 || strcmp(argv[1], "del") != 0))
                errx(2, "usage: bare-netlink add N MGMTDEV PREFIX [virtio_vdpa] | del N PREFIX");
        n = strtoul(argv[2], NULL, 10);
        open_netlink();
        begin = now_nsec();
        for (unsigned long i = 0; i < n; i++) {
                char name[64];

                (void) snprintf(name, sizeof name, "%.40s%lu", argv[is_add ? 4 : 3], i);
                request(is_add ? VDPA_CMD_DEV_NEW : VDPA_CMD_DEV_DEL, name, is_add ? argv[3] : NULL);
                if (is_add && argc > 5)
                        give_to(name, argv[5]);
        }
        seconds = (double) (now_nsec() - begin) / 1e9;
        printf("{\"devices\": %lu, \"seconds\": %.6f, \"per_second\": %.1f}\n", n, seconds, (double) n / seconds);
        nl_socket_free(sock);
        return 0;
}
