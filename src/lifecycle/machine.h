/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The steps that lead a device from one state to the next, on the backend's side. They run on the worker's
 * thread and know nothing but their task; each can be run again after a crash at any point. */

#include "backend/backend.h"

typedef struct MachineTask {
        /* In. */
        char name[DEVICE_NAME_MAX];
        char mgmtdev[HANDLE_MAX];
        DeviceSpec spec;           /* the task's own copy */
        DeviceResources resources; /* the task's own copy */
        bool must_assign;          /* of a check: the device may be there with other resources, or none */
        bool may_be_half_made;     /* of a check: the daemon may have died before it was through with making it */
        bool has_come_back;        /* of a check: others have made it again, with whatever resources */
        bool may_recreate;         /* of a repair: it may be deleted, if nobody uses it */
        bool may_exist;            /* of a create: the device may be there already, and is ours then */
        bool must_be_ours;         /* ... only if the backend says so; of a delete: likewise */

        EndpointSpec scrub_endpoint; /* of a scrubbing, as are the next: what its endpoint is to have */
        bool has_scrub_mac;
        uint8_t scrub_mac[6];

        /* Out. */
        Failure failure;          /* code ERROR_NONE: it worked */
        bool left_over;           /* it failed, and so did undoing what was done: something may be on the host */
        bool is_gone;             /* of machine_check and machine_delete: the device is not on the host */
        DeviceStatus status;      /* as seen at the end, if has_status */
        char seen_on[HANDLE_MAX]; /* ... and where */
        bool has_status;
        bool was_made;      /* by machine_create, in this task */
        DeviceUsers *users; /* owned: of machine_delete and machine_scrub, who keeps it from that; or NULL */
        BackendStat *stats; /* of machine_get_stats */
        size_t n_stats;
} MachineTask;

void machine_task_done(MachineTask *task);

/* In words for the user: "create". */
const char *machine_name(void (*machine)(MachineTask *task, Backend *b));

/* Begins what machine_create() will do of the same task, as far as the backend can; see BackendOps. */
void machine_prepare_create(MachineTask *task, Backend *b);

/* Creates the device, unless it is there, and makes it ready; on failure undoes what it did, in reverse order. */
void machine_create(MachineTask *task, Backend *b);

/* Looks once more at a device whose endpoint was not settled when another machine was through with it. Fails and
 * undoes as that one would. */
void machine_settle(MachineTask *task, Backend *b);

/* Looks at a device that should be ready, gives it the MAC address of the spec, and binds and publishes it again if
 * its endpoint is missing. Never deletes anything. With a failure and a status that has an endpoint of the right
 * driver, the device can be used, but its MAC address or its endpoint's owner is not as asked for. */
void machine_check(MachineTask *task, Backend *b);

/* Looks at the device and deletes it, if it is ours; if that fails, looks at what is left: nothing is as good as
 * deleted. A device of that name on another management device is not ours and stays: someone may have deleted ours,
 * and made that one, since the host was last looked at. */
void machine_delete(MachineTask *task, Backend *b);

/* Looks at the device and makes it what its spec says, or makes it again if it is not there. ERROR_IN_USE if
 * somebody has it open, with nothing done; ERROR_NOT_SUPPORTED if that would take a new device, which may not be
 * made, with all else done. */
void machine_repair(MachineTask *task, Backend *b);

/* Gives the endpoint its owner and mode, and looks at it. */
void machine_publish(MachineTask *task, Backend *b);

/* Gives a device that is ready the MAC address of the spec, if that has one, and the endpoint its owner and mode.
 */
void machine_claim(MachineTask *task, Backend *b);

/* Takes the device away from its driver, clears what its user has left, and makes it ready again. ERROR_IN_USE with
 * nothing done while its endpoint is open; after another failure it may be half done. */
void machine_scrub(MachineTask *task, Backend *b);

/* Sets the MAC address of the spec in place; one that the device has already can be set on any. */
void machine_set_mac(MachineTask *task, Backend *b);

/* Assigns its resources to a device that is ready. */
void machine_assign(MachineTask *task, Backend *b);

void machine_get_stats(MachineTask *task, Backend *b);
