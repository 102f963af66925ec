/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon knows of its devices that the kernel cannot tell: that they are ours, and what those of
 * vhost-vdpa have answered when they were new.
 *
 * The kernel keeps no mark of who has made a device. A daemon that dies between the intent to make one and its
 * record would find a device of that name and not know whose it is. And a node cannot be asked later: to open it
 * takes it away from its user, or keeps the user out just when it comes. So both is remembered for as long as the
 * devices are there, beyond the daemon: in a file of the runtime directory, which goes with the next boot as the
 * devices do. A note belongs to one device and not to a name: each has the number of the device's directory in
 * sysfs, which the kernel gives out only once. */

#include "kernel/vhost.h"

#define DEVICE_NOTES_FILE "devices"

typedef struct DeviceNotes DeviceNotes;

/* directory: where the file is; NULL: notes live as long as this does. Lines of the file that make no sense are
 * left out; without a file that can be written there is none, and no error: then devices may be taken for those of
 * others after a crash. root: see kernel/sysfs.h; borrowed. Returns 0 or -ENOMEM. */
int device_notes_new(const char *root, const char *directory, DeviceNotes **ret);
DeviceNotes *device_notes_free(DeviceNotes *notes);
DEFINE_CLEANUP(DeviceNotes *, device_notes_free)

/* No device has the name. The next one that has is ours, until device_notes_remove(). Out of memory it is not. */
void device_notes_expect(DeviceNotes *notes, const char *name);

/* The device that has the name now is ours. */
void device_notes_take(DeviceNotes *notes, const char *name);

/* Whether that is so; false if there is no device. */
bool device_notes_is_ours(DeviceNotes *notes, const char *name);

/* What the device that has the name now has answered; all 0 if that is not known. Returns whether it is ours. */
bool device_notes_get_groups(DeviceNotes *notes, const char *name, VhostGroups *ret);

/* For a device that is there, and ours. inode: of its directory in sysfs; 0: not known. Out of memory forgets it:
 * then nothing is known. */
void device_notes_put_groups(DeviceNotes *notes, const char *name, uint64_t inode, const VhostGroups *groups);

/* The device is gone, or did not come. */
void device_notes_remove(DeviceNotes *notes, const char *name);
