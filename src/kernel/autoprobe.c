/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/autoprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/vdpa-sysfs.h"
#include "util/crash.h"
#include "util/fs.h"
#include "util/log.h"

#define NOTE "autoprobe-is-off"

struct Autoprobe {
        char *root;
        char *note; /* the path of the file; NULL: there is none */
        bool is_exclusive;
        bool is_applied; /* it was as it has to be at the last look */
        bool has_complained;
};

/* The file is empty: that it is there says it all. */
static int write_note(const Autoprobe *a) {
        int fd = open(a->note, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0)
                return -errno;
        (void) close(fd);
        return 0;
}

static int turn_off(Autoprobe *a) {
        int r = write_note(a);

        if (r < 0)
                return r;
        CRASH_POINT(KERNEL_AUTOPROBE_NOTED);
        r = vdpa_sysfs_set_autoprobe(a->root, false);
        if (r >= 0)
                log_notice("%s", a->is_applied
                                         ? "Someone has turned the autoprobe of the vDPA bus on; it is off again"
                                         : "Turned off the autoprobe of the vDPA bus, which is exclusive");
        return r;
}

static int turn_on(Autoprobe *a) {
        int r = vdpa_sysfs_set_autoprobe(a->root, true);

        if (r < 0)
                return r;
        CRASH_POINT(KERNEL_AUTOPROBE_RESTORED);
        (void) unlink(a->note);
        log_notice("Turned the autoprobe of the vDPA bus on again");
        return 0;
}

static bool is_noted(const Autoprobe *a) {
        return a->note && access(a->note, F_OK) == 0;
}

int autoprobe_new(const char *root, const char *runtime_dir, bool exclusive, Autoprobe **ret) {
        _cleanup_(autoprobe_freep) Autoprobe *a = calloc(1, sizeof *a);

        if (!a)
                return -ENOMEM;
        a->root = strdup(root);
        if (!a->root)
                return -ENOMEM;
        if (runtime_dir) {
                char *note = fs_join(runtime_dir, NOTE);

                if (!note)
                        return -ENOMEM;
                a->note = note;
                a->is_exclusive = exclusive;
        }
        *ret = TAKE_PTR(a);
        return 0;
}

void autoprobe_apply(Autoprobe *a) {
        int r = 0;

        if (!vdpa_sysfs_has_bus(a->root))
                return;
        if (a->is_exclusive && vdpa_sysfs_get_autoprobe(a->root))
                r = turn_off(a);
        else if (!a->is_exclusive && is_noted(a))
                r = turn_on(a);
        a->is_applied = r >= 0;
        if (r < 0 && !a->has_complained)
                (void) log_warning_errno(r, "Cannot turn the autoprobe of the vDPA bus %s: %m",
                                         a->is_exclusive ? "off" : "on again");
        a->has_complained = r < 0;
}

Autoprobe *autoprobe_free(Autoprobe *a) {
        if (!a)
                return NULL;
        if (a->is_exclusive && a->is_applied && is_noted(a) && turn_on(a) < 0)
                log_warning("The autoprobe of the vDPA bus stays off");
        free(a->note);
        free(a->root);
        free(a);
        return NULL;
}
