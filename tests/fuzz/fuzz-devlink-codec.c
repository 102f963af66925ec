/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Answers of the devlink family: ports, and resources in resources. */
#include <errno.h>

#include "fuzz-netlink.h"
#include "kernel/devlink-codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        uint8_t which = fuzz_take_byte(&in);
        _cleanup_free_ struct nlmsghdr *m = fuzz_message(&in);
        DevlinkPort port;
        bool found = false;
        uint64_t sum = 0;
        int r;

        if (which % 2) {
                r = devlink_parse_port(m, &port);
                if (r == 0)
                        fuzz_expect(memchr(port.switch_handle, '\0', sizeof port.switch_handle) &&
                                    memchr(port.function_handle, '\0', sizeof port.function_handle));
        } else {
                r = devlink_parse_resource(m, "max_SFs", &found, &sum);
                fuzz_expect(found || sum == 0);
        }
        fuzz_expect(r == 0 || r == -EBADMSG || r == -ENAMETOOLONG);
        return 0;
}
