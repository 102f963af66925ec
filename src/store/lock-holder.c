/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The kernel lists the holders of locks in /proc/locks, by the device and inode of the file. A process that was
 * killed while one of its threads hangs in the kernel is a zombie that keeps all that it has open until that thread
 * comes back; who waits for it should not look for somebody to stop. */
#include "store/lock-holder.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#include "util/macro.h"

DEFINE_CLEANUP(FILE *, fclose)

static pid_t find_holder(int fd) {
        _cleanup_(fclosep) FILE *f = NULL;
        struct stat st;
        char line[256];

        if (fstat(fd, &st) < 0)
                return 0;
        f = fopen("/proc/locks", "re");
        if (!f)
                return 0;

        while (fgets(line, sizeof line, f)) {
                unsigned major, minor;
                unsigned long inode;
                int pid;

                if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major, &minor, &inode) == 4 && pid > 0 &&
                    inode == st.st_ino && major == major(st.st_dev) && minor == minor(st.st_dev))
                        return pid;
        }

        return 0;
}

/* The letter of proc(5): Z is one whose main thread has ended. '?': it cannot be told. */
static char process_state(pid_t pid) {
        _cleanup_(fclosep) FILE *f = NULL;
        char path[32], state = '?';

        (void) snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
        f = fopen(path, "re");
        /* Of a name that has a parenthesis in it nothing is told. */
        if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
                state = '?';
        return state;
}

void lock_holder_describe(int fd, char *buffer, size_t size) {
        pid_t pid = find_holder(fd);

        if (pid <= 0)
                (void) snprintf(buffer, size, "another process");
        else if (process_state(pid) == 'Z')
                (void) snprintf(buffer, size,
                                "process %d, which has ended but for a call that hangs in the kernel; it goes when "
                                "that returns",
                                (int) pid);
        else
                (void) snprintf(buffer, size, "process %d", (int) pid);
}
