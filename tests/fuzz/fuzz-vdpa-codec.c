/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Answers of the vdpa family, to each of the questions, and the kernel's words about attributes. */
#include <errno.h>

#include "fuzz-netlink.h"
#include "kernel/vdpa-codec.h"
#include "kernel/vdpa-uapi.h"

static void check_result(int r) {
        fuzz_expect(r == 0 || r == -EBADMSG || r == -ENAMETOOLONG);
}

static void check_stats(struct nlmsghdr *m) {
        BackendStat stat[VDPA_QUEUE_STATS_MAX];
        size_t n = 0;
        int r;

        r = vdpa_parse_stats(m, 0, stat, ELEMENTSOF(stat), &n);
        check_result(r);
        fuzz_expect(n <= ELEMENTSOF(stat));
        for (size_t i = 0; r == 0 && i < n; i++)
                fuzz_expect(memchr(stat[i].name, '\0', sizeof stat[i].name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        uint8_t which = fuzz_take_byte(&in);
        _cleanup_free_ struct nlmsghdr *m = NULL;
        _cleanup_free_ char *words = NULL;
        char mgmtdev[HANDLE_MAX], name[DEVICE_NAME_MAX];
        DeviceStatus status = {};
        BackendDevice device;
        MgmtdevInfo info;

        if (which % 8 == 7) {
                words = fuzz_take_text(&in);
                fuzz_expect((vdpa_parse_refused(words) & ~VDPA_ATTRIBUTES) == 0);
                return 0;
        }

        m = fuzz_message(&in);
        if (which % 8 == 0)
                check_result(vdpa_parse_mgmtdev(m, &info));
        else if (which % 8 == 1)
                check_result(vdpa_parse_device(m, &device));
        else if (which % 8 == 2)
                check_result(vdpa_parse_status(m, mgmtdev, &status));
        else if (which % 8 == 3)
                check_result(vdpa_parse_config(m, &status));
        else if (which % 8 == 4)
                check_result(vdpa_parse_name(m, VDPA_CMD_DEV_NEW, name));
        else
                check_stats(m);
        return 0;
}
