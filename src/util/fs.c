/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/fs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/macro.h"

char *fs_join(const char *directory, const char *name) {
        char *path;

        /* On failure asprintf() may leave anything in it. */
        return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

int fs_make_directory(const char *path, mode_t mode) {
        _cleanup_free_ char *copy = strdup(path);
        struct stat st;

        if (!copy)
                return -ENOMEM;

        for (char *p = copy; *p;) {
                bool is_last;
                char c;

                p += strspn(p, "/");
                p += strcspn(p, "/");
                is_last = !p[strspn(p, "/")];
                c = *p;
                *p = '\0';
                if (mkdir(copy, is_last ? mode : 0755) < 0 && errno != EEXIST)
                        return -errno;
                *p = c;
        }

        if (stat(path, &st) < 0)
                return -errno;
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}
