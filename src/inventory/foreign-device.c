/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/foreign-device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/inventory.h"

static int foreign_device_compare(const ForeignDevice *a, const ForeignDevice *b) {
        return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(ForeignDeviceTree, ForeignDevice, by_name, foreign_device_compare, _unused_ static)

/* Names are of any length, so there is no key to search with but the name itself. */
static ForeignDevice *find(Inventory *inv, const char *name, ForeignDevice **ret_next) {
        ForeignDevice *f = RB_ROOT(&inv->foreign_devices);

        *ret_next = NULL;
        while (f) {
                int c = strcmp(name, f->name);

                if (c == 0)
                        return f;
                if (c < 0)
                        *ret_next = f;
                f = c < 0 ? RB_LEFT(f, by_name) : RB_RIGHT(f, by_name);
        }

        return NULL;
}

ForeignDevice *foreign_device_find(Inventory *inv, const char *name) {
        ForeignDevice *next;

        return find(inv, name, &next);
}

ForeignDevice *foreign_device_next(Inventory *inv, const char *name) {
        ForeignDevice *next, *f = find(inv, name, &next);

        return f ? RB_NEXT(ForeignDeviceTree, &inv->foreign_devices, f) : next;
}

void foreign_device_forget(Inventory *inv, ForeignDevice *f) {
        RB_REMOVE(ForeignDeviceTree, &inv->foreign_devices, f);
        inv->n_foreign_devices--;
        free(f);
}

int foreign_device_note(Inventory *inv, const char *name, const char *mgmtdev, unsigned class,
                        ForeignDevice **ret) {
        ForeignDevice *f = foreign_device_find(inv, name);
        size_t size = strlen(name) + 1;
        bool is_news = !f || f->class != class || strcmp(f->mgmtdev, mgmtdev) != 0;

        if (!f) {
                if (inv->n_foreign_devices >= FOREIGN_DEVICES_MAX)
                        return -ENOSPC;
                f = calloc(1, sizeof *f + size);
                if (!f)
                        return -ENOMEM;
                memcpy(f->name, name, size);
                (void) RB_INSERT(ForeignDeviceTree, &inv->foreign_devices, f);
                inv->n_foreign_devices++;
        }

        f->class = class;
        (void) snprintf(f->mgmtdev, sizeof f->mgmtdev, "%s", mgmtdev);
        *ret = f;
        return is_news;
}

void foreign_device_free_all(Inventory *inv) {
        ForeignDevice *f;

        while ((f = RB_ROOT(&inv->foreign_devices)))
                foreign_device_forget(inv, f);
}
