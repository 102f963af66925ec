/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/macro.h"

static const char *const names[_CRASH_POINT_MAX] = {
#define DEFINE(name, where, text) [CRASH_##name] = #name,
#include "util/crash-points.def"
#undef DEFINE
};

/* Points are on all threads. */
static atomic_uint n_reached[_CRASH_POINT_MAX];

/* Each line by one write, so that a kill leaves none half written. */
static void trace(const char *path, const char *name) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        char line[64];
        int n;

        n = snprintf(line, sizeof line, "%s\n", name);
        if (fd < 0 || write(fd, line, (size_t) n) != n)
                abort();
}

void crash_point(CrashPoint point) {
        const char *path = getenv("HSVDPA_CRASH_TRACE"), *wish = getenv("HSVDPA_CRASH"), *name = names[point];
        unsigned n = atomic_fetch_add(&n_reached[point], 1) + 1, wanted = 1;
        size_t length;

        if (path)
                trace(path, name);
        if (!wish)
                return;
        length = strcspn(wish, ":");
        if (length != strlen(name) || strncmp(wish, name, length) != 0)
                return;
        if (wish[length])
                wanted = (unsigned) strtoul(wish + length + 1, NULL, 10);
        if (n != wanted)
                return;

        (void) kill(getpid(), SIGKILL);
        for (;;)
                (void) pause();
}
