/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The database's schema, its versions, and the checks before anything is written to a file that somebody's devices
 * depend on. */

#include <sqlite3.h>

#include "inventory/error.h"

/* Checks that the file is a database of ours that this program understands and that is not damaged, without
 * writing to it. An empty file is a new database. Returns 0, or -EUCLEAN, -EMEDIUMTYPE, -EPROTONOSUPPORT, or
 * another negative errno, with f set. */
int schema_check(sqlite3 *db, const char *path, Failure *f);

/* The same without looking for damage. */
int schema_identify(sqlite3 *db, const char *path, Failure *f);

/* Whether the file ends within a page, the rest of which SQLite reads as zeros. With a log beside it, it is not
 * taken for damaged: the daemon may have died while it wrote there, and the log has the page. Returns 1 or 0, or a
 * negative errno with f set. */
int schema_is_cut_off(sqlite3 *db, const char *path, Failure *f);

/* Brings the schema up to date in one transaction. Returns 0, or a negative errno with f set. */
int schema_migrate(sqlite3 *db, const char *path, Failure *f);
