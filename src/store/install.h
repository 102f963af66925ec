/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Another database takes the place of inventory.db, and the old one is kept beside it.
 *
 * That is several renamings, and a crash between them must leave neither of the two mixed with the other's log. So
 * the new one, when it is whole and on the disk, gets a name by which every later start knows that it is to take
 * the place, and goes on with that. */

#include <stddef.h>

#include "store/database.h"

/* Long enough for the name of the file that is kept. */
#define INSTALL_NAME_MAX 64

/* Takes the lock that a daemon holds while it runs. Returns a descriptor, to be closed, or a negative errno with f
 * set: -EBUSY if a daemon has it. */
int install_lock(const char *directory, Failure *f);

/* Puts the image into the place of directory/inventory.db. With the lock. Returns 0, with the name under which the
 * old one is kept, "" if there was none, or a negative errno with f set: then the old one is there as before, or
 * the next start will find the new one. */
int install_image(const char *directory, const Database *image, char ret_kept[static INSTALL_NAME_MAX], Failure *f);

/* Goes on with what a crash has left. With the lock. Returns as install_image(), at once if there is nothing. */
int install_finish(const char *directory, char ret_kept[static INSTALL_NAME_MAX], Failure *f);
