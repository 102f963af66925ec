/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A whole database in memory: what is backed up, restored, checked and repaired. The file that it is of is only
 * read; what has come of it takes the file's place in one step (store/install.h). */

#include "store/database.h"

/* Makes an empty one of the current schema. For this and the next three: returns 0, or a negative errno with f set;
 * ret is to be given to database_done() even after a failure. */
int image_new(Database *ret, Failure *f);

/* Takes over the file at path, with the log beside it, and brings its schema up to date. As schema_check(), but the
 * structure is not checked; and -ENOENT. */
int image_read(Database *ret, const char *path, Failure *f);

/* Takes over what rows can be read of a database that image_read() has read and that is damaged. ret_n_lost: of how
 * many tables some could not be. */
int image_salvage(const Database *damaged, Database *ret, unsigned *ret_n_lost, Failure *f);

/* Calls problem() for each fault in the structure, at most a hundred. Returns how many there are, or a negative
 * errno with f set. */
int image_check(const Database *image, void (*problem)(void *userdata, const char *text), void *userdata,
                Failure *f);

/* Writes it into a new file, which is on the disk then. Returns 0, or a negative errno with f set and no file left.
 */
int image_write(const Database *image, const char *path, Failure *f);
