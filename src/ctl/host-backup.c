/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl host backup
 *
 * Into a file beside the one that is wanted, which takes its name when it is whole and on the disk. */
#include "ctl/host-backup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/text.h"

typedef struct Target {
        const char *path;
        char *temporary, *directory;
        int fd;
} Target;

static void target_done(Target *t) {
        if (t->fd >= 0)
                close(t->fd);
        if (t->temporary)
                (void) unlink(t->temporary);
        free(t->temporary);
        free(t->directory);
}

static ExitCode fail(const char *what, const char *path) {
        int error = errno;
        _cleanup_free_ char *text = text_escape(path, false);

        if (!text)
                return report_oom();
        (void) fprintf(stderr, "hsvdpactl: Cannot %s %s: %s\n", what, text, strerror(error));
        return EXIT_CODE_LOCAL;
}

static ExitCode open_target(Target *t) {
        const char *slash = strrchr(t->path, '/');
        size_t n = slash ? (size_t) (slash - t->path) + 1 : 0;

        t->directory = n > 0 ? strndup(t->path, n) : strdup(".");
        if (!t->directory || asprintf(&t->temporary, "%.*s.hsvdpactl-XXXXXX", (int) n, t->path) < 0) {
                t->temporary = NULL;
                return report_oom();
        }
        t->fd = mkostemp(t->temporary, O_CLOEXEC);
        if (t->fd >= 0)
                return EXIT_CODE_OK;
        free(TAKE_PTR(t->temporary));
        return fail("make a file in", t->directory);
}

static ExitCode put_in_place(Target *t, bool replace) {
        int dir = open(t->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ExitCode code = EXIT_CODE_OK;

        assert(t->temporary);
        if (dir < 0 || fsync(t->fd) < 0)
                code = fail("write", t->temporary);
        /* A hard link is what replaces nothing. */
        else if (replace ? rename(t->temporary, t->path) < 0 : link(t->temporary, t->path) < 0)
                code = fail("make", t->path);
        else if (fsync(dir) < 0)
                code = fail("write", t->directory);
        if (dir >= 0)
                close(dir);
        return code;
}

ExitCode host_backup(Context *context, const Arguments *arguments) {
        _cleanup_(target_done) Target t = { .path = arguments->operands[0], .fd = -1 };
        bool replace = arguments_has(arguments, "force");
        struct stat st;
        ExitCode code;
        int r;

        if (!replace && lstat(t.path, &st) == 0) {
                errno = EEXIST;
                (void) fail("make", t.path);
                (void) fputs("Hint: --force replaces it\n", stderr);
                return EXIT_CODE_LOCAL;
        }
        code = open_target(&t);
        if (code != EXIT_CODE_OK)
                return code;
        r = hsv_host_backup(context->client, t.fd);
        if (r < 0)
                return report_failure(context->client, r, "backup");
        code = put_in_place(&t, replace);
        if (code == EXIT_CODE_OK && fstat(t.fd, &st) == 0)
                (void) fprintf(context->screen.file, "%lld bytes written\n", (long long) st.st_size);
        return code;
}
