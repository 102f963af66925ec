/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int sysfs_path(char ret[SYSFS_PATH_MAX], const char *format, ...) {
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(ret, SYSFS_PATH_MAX, format, ap);
        va_end(ap);

        return n < 0 || n >= SYSFS_PATH_MAX ? -ENAMETOOLONG : 0;
}

bool sysfs_exists(const char *path) {
        return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int sysfs_read(const char *path, char ret[SYSFS_VALUE_MAX]) {
        char buffer[SYSFS_VALUE_MAX + 1];
        _cleanup_close_ int fd = -1;
        ssize_t n;

        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, buffer, sizeof buffer);
        if (n < 0)
                return -errno;
        if (n > 0 && buffer[n - 1] == '\n')
                n--;
        if (n >= SYSFS_VALUE_MAX)
                return -EMSGSIZE;

        memcpy(ret, buffer, (size_t) n);
        ret[n] = '\0';
        return 0;
}

int sysfs_read_number(const char *path, long *ret) {
        char text[SYSFS_VALUE_MAX], *end;
        long number;
        int r;

        r = sysfs_read(path, text);
        if (r < 0)
                return r;
        errno = 0;
        number = strtol(text, &end, 0);
        if (errno > 0 || end == text || *end)
                return -EINVAL;

        *ret = number;
        return 0;
}

int sysfs_write_at(int directory, const char *path, const char *text) {
        _cleanup_close_ int fd = -1;

        fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int sysfs_write(const char *path, const char *text) {
        return sysfs_write_at(AT_FDCWD, path, text);
}

int sysfs_read_link_name(const char *path, char ret[SYSFS_VALUE_MAX]) {
        char target[SYSFS_PATH_MAX];
        const char *name;
        ssize_t n;

        n = readlink(path, target, sizeof target);
        if (n < 0)
                return -errno;
        if (n >= (ssize_t) sizeof target)
                return -ENAMETOOLONG;

        target[n] = '\0';
        name = strrchr(target, '/');
        name = name ? name + 1 : target;
        if (strlen(name) >= SYSFS_VALUE_MAX)
                return -ENAMETOOLONG;

        strcpy(ret, name);
        return 0;
}

static bool entry_matches(const char *name, const char *prefix) {
        size_t n = strlen(prefix);

        if (name[0] == '.' || strlen(name) >= SYSFS_VALUE_MAX || strncmp(name, prefix, n) != 0)
                return false;

        return n == 0 || (name[n] && name[n + strspn(name + n, "0123456789")] == '\0');
}

int sysfs_find(const char *directory, const char *prefix, char ret_first[SYSFS_VALUE_MAX], unsigned *ret_n) {
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        unsigned n = 0;

        d = opendir(directory);
        if (!d)
                return -errno;

        while ((entry = readdir(d)))
                if (entry_matches(entry->d_name, prefix) && n++ == 0 && ret_first)
                        strcpy(ret_first, entry->d_name);

        *ret_n = n;
        return 0;
}
