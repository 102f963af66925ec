/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the kernel says of devices that come and go: messages as it sends them, broken ones, and those that it has
 * not sent. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/kobject-monitor.h"
#include "unit.h"

#define LO_UEVENT "/sys/class/net/lo/uevent"

#define ADD    "add@/devices/pci0000:00/0000:00:04.0/a\0"
#define FIELDS "ACTION=add\0DEVPATH=/devices/pci0000:00/0000:00:04.0/a\0SUBSYSTEM=vdpa\0SEQNUM=18446744073709551614"

/* With the NUL at the end, as in a message, and one behind. */
#define PARSE(text, ret) kobject_event_parse(text "\0", sizeof(text), "vdpa", ret)

START_TEST(test_parse) {
        KobjectEvent event;

        ck_assert(PARSE(ADD FIELDS, &event));
        ck_assert_str_eq(event.action, "add");
        ck_assert_str_eq(event.name, "a");
        ck_assert_uint_eq(event.seqnum, UINT64_MAX - 1);
        ck_assert(PARSE("bind@/a\0ACTION=bind\0DEVPATH=/devices/b\0SUBSYSTEM=vdpa\0DRIVER=vhost_vdpa\0SEQNUM=1",
                        &event));
        ck_assert_str_eq(event.action, "bind");
        ck_assert_str_eq(event.name, "b");
        ck_assert_uint_eq(event.seqnum, 1);
}
END_TEST

START_TEST(test_other_messages) {
        KobjectEvent event;

        ck_assert(!PARSE("", &event));
        ck_assert(!PARSE("\0\0\0", &event));
        ck_assert(!PARSE("libudev\0\xfe\xed\xca\xfe", &event));
        ck_assert(!PARSE(ADD "ACTION=add\0DEVPATH=/devices/a\0SUBSYSTEM=net\0SEQNUM=7", &event));
        ck_assert(!PARSE(ADD "ACTION=add\0DEVPATH=/devices/a\0SUBSYSTEM=vdpaX\0SEQNUM=7", &event));
        ck_assert(!PARSE(ADD "ACTION=add\0DEVPATH=/devices/a\0SEQNUM=7", &event));
        ck_assert(!PARSE(ADD "ACTION=add\0SUBSYSTEM=vdpa\0SEQNUM=7", &event));
        ck_assert(!PARSE(ADD "DEVPATH=/devices/a\0SUBSYSTEM=vdpa\0SEQNUM=7", &event));
        ck_assert(!PARSE(ADD "ACTION=add\0DEVPATH=a\0SUBSYSTEM=vdpa\0SEQNUM=7", &event));
        ck_assert(!PARSE(ADD "ACTION=add\0DEVPATH=/devices/a\0SUBSYSTEM=vdpa", &event));
        ck_assert(!PARSE(ADD "ACTION=add\0DEVPATH=/devices/a\0SUBSYSTEM=vdpa\0SEQNUM=x", &event));
}
END_TEST

/* The fields stand in no order, and a message can end anywhere. */
START_TEST(test_cut) {
        const char message[] = ADD FIELDS;
        KobjectEvent event;

        for (size_t n = 0; n < sizeof message; n++) {
                char *cut = calloc(1, n + 1);

                ck_assert_ptr_nonnull(cut);
                memcpy(cut, message, n);
                if (kobject_event_parse(cut, n, "vdpa", &event))
                        ck_assert_uint_gt(event.seqnum, 0);
                free(cut);
        }
}
END_TEST

typedef struct Seen {
        unsigned n;
        bool is_lo;
} Seen;

static void on_event(void *userdata, const KobjectEvent *event) {
        Seen *seen = userdata;

        ck_assert_ptr_nonnull(event);
        seen->n++;
        seen->is_lo = seen->is_lo || (strcmp(event->name, "lo") == 0 && strcmp(event->action, "change") == 0);
}

static bool has_seen_lo(void *userdata) {
        return ((const Seen *) userdata)->is_lo;
}

/* The kernel's own is heard, what somebody else sends to its group is not. */
START_TEST(test_real) {
        static const char forged[] =
                "add@/devices/forged\0ACTION=add\0DEVPATH=/devices/forged\0SUBSYSTEM=net\0SEQNUM=1";
        const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 };
        _cleanup_close_ int fd = open(LO_UEVENT, O_WRONLY | O_CLOEXEC),
                            other = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        KobjectMonitor *monitor;
        sd_event *event;
        Seen seen = {};

        ck_assert_int_eq(sd_event_new(&event), 0);
        ck_assert_int_eq(kobject_monitor_new(event, "net", on_event, &seen, &monitor), 0);
        (void) sendto(other, forged, sizeof forged, 0, (const struct sockaddr *) &group, sizeof group);
        if (fd >= 0 && write(fd, "change", 6) == 6) {
                unit_run_until(event, has_seen_lo, &seen);
                ck_assert_uint_eq(seen.n, 1);
        }
        kobject_monitor_free(monitor);
        sd_event_unref(event);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_parse);
        tcase_add_test(tcase, test_other_messages);
        tcase_add_test(tcase, test_cut);
        tcase_add_test(tcase, test_real);
}

int main(void) {
        return unit_main("kernel-kobject", add);
}
