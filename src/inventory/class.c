/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/class.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

/* Virtio 1.3, section 5: device types. Those without a name here were reserved without a specification. */
static const char *const class_names[CLASS_MAX + 1] = {
        [1] = "net",  [2] = "block",  [3] = "console",       [4] = "entropy", [5] = "balloon", [8] = "scsi",
        [9] = "9p",   [16] = "gpu",   [18] = "input",        [19] = "vsock",  [20] = "crypto", [23] = "iommu",
        [24] = "mem", [25] = "sound", [26] = "fs",           [27] = "pmem",   [28] = "rpmb",   [32] = "scmi",
        [34] = "i2c", [36] = "can",   [39] = "audio-policy", [40] = "bt",     [41] = "gpio",   [42] = "rdma",
};

const char *class_name(unsigned class) {
        return class < ELEMENTSOF(class_names) ? class_names[class] : NULL;
}

int class_parse(const char *text, unsigned *ret) {
        unsigned long number;
        char *end;

        for (unsigned i = 0; i < ELEMENTSOF(class_names); i++)
                if (class_names[i] && strcmp(class_names[i], text) == 0) {
                        *ret = i;
                        return 0;
                }

        /* "9p" is a name, so names come first; strtoul() would take blanks and signs. */
        if (text[0] < '0' || text[0] > '9')
                return -EINVAL;
        number = strtoul(text, &end, 10);
        if (*end || number == 0 || number > CLASS_MAX)
                return -EINVAL;

        *ret = (unsigned) number;
        return 0;
}

const char *class_format(unsigned class, char *buffer) {
        const char *name = class_name(class);

        if (name)
                strcpy(buffer, name);
        else
                (void) snprintf(buffer, 16, "%u", class);
        return buffer;
}

/* Virtio 1.3, section 5, "Virtqueues" of each type: those that do not depend on a feature. All others have one. */
static const uint8_t class_vqs[CLASS_MAX + 1] = {
        [1] = 2,  /* net: receiveq1, transmitq1 */
        [3] = 2,  /* console: receiveq, transmitq */
        [5] = 2,  /* balloon: inflateq, deflateq */
        [8] = 3,  /* scsi: controlq, eventq, one requestq */
        [16] = 2, /* gpu: controlq, cursorq */
        [18] = 2, /* input: eventq, statusq */
        [19] = 3, /* vsock: rx, tx, event */
        [20] = 2, /* crypto: one dataq, controlq */
        [23] = 2, /* iommu: requestq, eventq */
        [25] = 4, /* sound: controlq, eventq, txq, rxq */
        [26] = 2, /* fs: hiprio, one requestq */
        [36] = 3, /* can: txq, rxq, controlq */
};

unsigned class_n_vqs(unsigned class) {
        return class <= CLASS_MAX && class_vqs[class] > 0 ? class_vqs[class] : 1;
}
