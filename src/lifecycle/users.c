/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/users.h"

#include <errno.h>
#include <string.h>

#include "lifecycle/context.h"
#include "lifecycle/job.h"

typedef struct Look {
        Job job;
        char name[DEVICE_NAME_MAX];
        int in_use;
        DeviceUsers users;
        users_found_t found;
        void *userdata;
} Look;

/* On the looker's thread. */
static void look_job(Job *job, Backend *b) {
        Look *look = CONTAINER_OF(job, Look, job);

        look->in_use = b->ops->find_users(b, look->name, &look->users);
}

static void on_looked(Work *work) {
        Look *look = CONTAINER_OF(work, Look, job.work);

        look->found(look->userdata, look->in_use, &look->users);
        free(look);
}

int users_look(Lifecycle *l, const char *name, users_found_t found, void *userdata) {
        Look *look;
        int r;

        look = calloc(1, sizeof *look);
        if (!look)
                return -ENOMEM;
        look->job.run = look_job;
        look->job.work.done = on_looked;
        look->found = found;
        look->userdata = userdata;
        strcpy(look->name, name);
        r = workqueue_submit(l->looker, &look->job.work);
        if (r < 0)
                free(look);
        return r;
}

static void on_found(void *userdata, int in_use, const DeviceUsers *users) {
        Verb *verb = userdata;
        Device *device = inventory_find_device(verb->lifecycle->inventory, verb->name);

        /* What was looked at may not be what has the name now. */
        if (device && strcmp(device->uid, verb->precondition.uid) == 0)
                verb_answer(verb, &(Outcome){ .device = device, .in_use = in_use, .users = users });
        else
                verb_fail(verb, ERROR_DEVICE_NOT_FOUND, ENOENT, "There is no device '%s'", verb->name);
}

void users_run(Verb *verb) {
        Lifecycle *l = verb->lifecycle;
        Device *device = inventory_find_device(l->inventory, verb->name);
        int r;

        if (!device) {
                verb_fail(verb, ERROR_DEVICE_NOT_FOUND, ENOENT, "There is no device '%s'", verb->name);
                return;
        }
        if (device->state != DEVICE_READY) {
                verb_answer(verb, &(Outcome){ .device = device, .in_use = -ENODATA });
                return;
        }

        strcpy(verb->precondition.uid, device->uid);
        r = users_look(l, device->name, on_found, verb);
        if (r == -EAGAIN)
                verb_fail(verb, ERROR_OVERLOADED, EAGAIN, "%d such requests are under way; try again later",
                          USERS_QUEUED_MAX);
        else if (r < 0)
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
}
