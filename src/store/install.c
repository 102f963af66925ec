/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "store/image.h"
#include "store/lock-holder.h"
#include "util/clock.h"
#include "util/fs.h"

#define DATABASE "inventory.db"
#define LOG      "inventory.db-wal"
#define INDEX    "inventory.db-shm"
#define NEW      "inventory.db.new" /* being written: worth nothing yet */
#define NEXT     "inventory.db.next"

int install_lock(const char *directory, Failure *f) {
        _cleanup_free_ char *path = fs_join(directory, "inventory.lock");
        _cleanup_close_ int fd = -1;
        char holder[128];

        if (!path)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory");

        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot open %s: %m", path);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK)
                        return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot lock %s: %m", path);
                lock_holder_describe(fd, holder, sizeof holder);
                return failure_set(
                        f, ERROR_STORE_FAILED, EBUSY,
                        "Another hsvdpad is using %s (%s): stop it first, or give this one another state "
                        "directory",
                        directory, holder);
        }
        return TAKE_FD(fd);
}

static int fail(Failure *f, const char *what, const char *name) {
        return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot %s %s: %m", what, name);
}

static int rename_if_there(int dir, const char *from, const char *to, Failure *f) {
        if (renameat(dir, from, dir, to) < 0 && errno != ENOENT)
                return fail(f, "rename", from);
        return 0;
}

/* By the time of the new one, so that going on finds the same name. */
static int name_kept(int dir, char ret[static INSTALL_NAME_MAX]) {
        char time[RFC3339_MAX];
        struct stat st;

        if (fstatat(dir, NEXT, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        (void) clock_format((uint64_t) st.st_mtim.tv_sec * USEC_PER_SEC + (uint64_t) st.st_mtim.tv_nsec / 1000,
                            time);
        (void) snprintf(ret, INSTALL_NAME_MAX, DATABASE ".%s", time);
        return 0;
}

/* The log goes first: what is left of the old one without it is not taken for anything while NEXT is there. */
static int finish(int dir, char ret_kept[static INSTALL_NAME_MAX], Failure *f) {
        char kept[INSTALL_NAME_MAX], log[INSTALL_NAME_MAX + 4];
        struct stat st;
        int r;

        r = name_kept(dir, kept);
        if (r == -ENOENT) {
                ret_kept[0] = '\0';
                return 0;
        }
        if (r < 0)
                return failure_set(f, ERROR_STORE_FAILED, r, "Cannot look at " NEXT ": %s", strerror(-r));

        (void) snprintf(log, sizeof log, "%s-wal", kept);
        r = rename_if_there(dir, LOG, log, f);
        if (r == 0)
                r = rename_if_there(dir, DATABASE, kept, f);
        if (r < 0)
                return r;
        (void) unlinkat(dir, INDEX, 0);
        if (fsync(dir) < 0 || renameat(dir, NEXT, dir, DATABASE) < 0 || fsync(dir) < 0)
                return fail(f, "put in place", DATABASE);

        strcpy(ret_kept, fstatat(dir, kept, &st, AT_SYMLINK_NOFOLLOW) == 0 ? kept : "");
        return 0;
}

int install_finish(const char *directory, char ret_kept[static INSTALL_NAME_MAX], Failure *f) {
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return dir < 0 ? fail(f, "open", directory) : finish(dir, ret_kept, f);
}

int install_image(const char *directory, const Database *image, char ret_kept[static INSTALL_NAME_MAX],
                  Failure *f) {
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *path = fs_join(directory, NEW);
        struct stat st;
        int r;

        if (dir < 0)
                return fail(f, "open", directory);
        if (!path)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory");

        (void) unlink(path);
        r = image_write(image, path, f);
        if (r < 0)
                return r;
        /* Who runs this may be another than who runs the daemon. */
        if (fstat(dir, &st) < 0 || (geteuid() == 0 && fchownat(dir, NEW, st.st_uid, st.st_gid, 0) < 0))
                return fail(f, "give away", path);
        if (renameat(dir, NEW, dir, NEXT) < 0 || fsync(dir) < 0)
                return fail(f, "rename", path);
        return finish(dir, ret_kept, f);
}
