/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/vhost-cache.h"

#include <assert.h>
#include <bsd/sys/tree.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "inventory/spec.h"
#include "util/crash.h"
#include "util/fs.h"

/* The file is a log, a line for each answer; it is written anew when it has so many lines more than there are
 * answers, and as many again as those. */
#define SURPLUS_LINES 1000

/* A line is longer only if it makes no sense. */
#define LINE_MAX_SIZE (DEVICE_NAME_MAX + 64 + VQ_GROUPS_TEXT_MAX)

typedef struct Answer {
        RB_ENTRY(Answer) by_name;
        char name[DEVICE_NAME_MAX];
        uint64_t inode; /* of the device's directory in sysfs */
        VhostGroups groups;
} Answer;

RB_HEAD(AnswerTree, Answer);

static int answer_compare(const Answer *a, const Answer *b) {
        return strcmp(a->name, b->name);
}

/* What RB_GENERATE_STATIC() stands for where __unused is known, which it is not on Linux. */
RB_GENERATE_INTERNAL(AnswerTree, Answer, by_name, answer_compare, _unused_ static)

struct VhostCache {
        const char *root; /* borrowed */
        struct AnswerTree answers;
        size_t n_answers, n_lines;
        char *path, *new_path; /* NULL: there is no file */
        FILE *file;            /* to append to; NULL: there is none, or it cannot be written */
};

static Answer *find(VhostCache *c, const char *name) {
        Answer key;

        (void) snprintf(key.name, sizeof key.name, "%s", name);
        return RB_FIND(AnswerTree, &c->answers, &key);
}

static void drop(VhostCache *c, Answer *answer) {
        RB_REMOVE(AnswerTree, &c->answers, answer);
        c->n_answers--;
        free(answer);
}

/* False: there is no such device. */
static bool get_inode(const VhostCache *c, const char *name, uint64_t *ret) {
        char path[SYSFS_PATH_MAX];
        struct stat st;

        if (sysfs_path(path, "%s/sys/bus/vdpa/devices/%s", c->root, name) < 0 || stat(path, &st) < 0)
                return false;
        *ret = st.st_ino;
        return true;
}

static Answer *set(VhostCache *c, const char *name, uint64_t inode, const VhostGroups *groups) {
        Answer *answer = find(c, name);

        if (!answer) {
                answer = calloc(1, sizeof *answer);
                if (!answer)
                        return NULL;
                (void) snprintf(answer->name, sizeof answer->name, "%s", name);
                (void) RB_INSERT(AnswerTree, &c->answers, answer);
                c->n_answers++;
        }

        answer->inode = inode;
        answer->groups = *groups;
        return answer;
}

static bool write_line(FILE *file, const Answer *answer) {
        char vqs[VQ_GROUPS_TEXT_MAX];

        return fprintf(file, "%s %" PRIu64 " %" PRIu32 " %" PRIu32 " %s\n", answer->name, answer->inode,
                       answer->groups.n_vq_groups, answer->groups.n_address_spaces,
                       vq_groups_format(&answer->groups.vqs, vqs)) > 0;
}

/* Without the file everything goes on until the daemon ends. */
static void give_up_file(VhostCache *c) {
        if (c->file)
                (void) fclose(c->file);
        c->file = NULL;
}

static bool write_all(VhostCache *c, FILE *file) {
        Answer *answer;

        RB_FOREACH(answer, AnswerTree, &c->answers)
                if (!write_line(file, answer))
                        return false;

        return fflush(file) == 0;
}

/* The old file stays until the new one is whole. */
static void rewrite(VhostCache *c) {
        int fd;

        give_up_file(c);
        fd = open(c->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return;
        c->file = fdopen(fd, "w");
        if (!c->file) {
                close(fd);
                return;
        }
        if (!write_all(c, c->file))
                give_up_file(c);
        CRASH_POINT(KERNEL_ANSWERS_REWRITTEN);
        if (c->file && rename(c->new_path, c->path) < 0)
                give_up_file(c);
        c->n_lines = c->n_answers;
}

static void append(VhostCache *c, const Answer *answer) {
        if (!c->file)
                return;
        if (++c->n_lines > 2 * c->n_answers + SURPLUS_LINES)
                rewrite(c);
        else if (!write_line(c->file, answer) || fflush(c->file) != 0)
                give_up_file(c);
        CRASH_POINT(KERNEL_ANSWER_WRITTEN);
}

/* Of one device. A line of a daemon that did not ask for the groups of virtqueues ends before them. */
static bool parse_line(char *line, char name[DEVICE_NAME_MAX], uint64_t *ret_inode, VhostGroups *ret) {
        VhostGroups groups = {};
        int end = 0;

        static_assert(DEVICE_NAME_MAX == 64, "the width of a name is written out below");
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%63s %" SCNu64 " %" SCNu32 " %" SCNu32 "%n", name, ret_inode, &groups.n_vq_groups,
                   &groups.n_address_spaces, &end) != 4)
                return false;
        if (line[end] && (line[end] != ' ' || vq_groups_parse(line + end + 1, &groups.vqs) < 0))
                return false;

        *ret = groups;
        return device_name_is_valid(name);
}

/* Only of devices that are still there: others have gone while no daemon saw it. */
static int read_line(VhostCache *c, char *line) {
        uint64_t inode, now;
        VhostGroups groups;
        char name[DEVICE_NAME_MAX];

        if (!parse_line(line, name, &inode, &groups) || !get_inode(c, name, &now) || now != inode)
                return 0;

        return set(c, name, inode, &groups) ? 0 : -ENOMEM;
}

static int read_file(VhostCache *c) {
        char line[LINE_MAX_SIZE];
        bool is_begin = true;
        FILE *file;
        int r = 0;

        file = fopen(c->path, "re");
        if (!file)
                return 0;

        while (r >= 0 && fgets(line, sizeof line, file)) {
                bool was_begin = is_begin;

                is_begin = strchr(line, '\n') != NULL;
                if (was_begin && is_begin)
                        r = read_line(c, line);
        }
        (void) fclose(file);
        return r;
}

int vhost_cache_new(const char *root, const char *directory, VhostCache **ret) {
        _cleanup_(vhost_cache_freep) VhostCache *c = calloc(1, sizeof *c);
        int r;

        if (!c)
                return -ENOMEM;
        c->root = root;
        RB_INIT(&c->answers);

        if (directory) {
                c->path = fs_join(directory, VHOST_CACHE_FILE);
                c->new_path = fs_join(directory, VHOST_CACHE_FILE ".new");
                if (!c->path || !c->new_path)
                        return -ENOMEM;
                r = read_file(c);
                if (r < 0)
                        return r;
                rewrite(c);
        }

        *ret = TAKE_PTR(c);
        return 0;
}

VhostCache *vhost_cache_free(VhostCache *c) {
        if (!c)
                return NULL;

        while (!RB_EMPTY(&c->answers))
                drop(c, RB_ROOT(&c->answers));
        give_up_file(c);
        free(c->path);
        free(c->new_path);
        free(c);
        return NULL;
}

VhostGroups vhost_cache_get(VhostCache *c, const char *name) {
        const Answer *answer = find(c, name);
        uint64_t inode;

        if (!answer || !get_inode(c, name, &inode) || inode != answer->inode)
                return (VhostGroups){};
        return answer->groups;
}

void vhost_cache_put(VhostCache *c, const char *name, const VhostGroups *groups) {
        const Answer *answer = NULL;
        uint64_t inode;

        if (get_inode(c, name, &inode))
                answer = set(c, name, inode, groups);
        if (answer)
                append(c, answer);
        else
                vhost_cache_remove(c, name);
}

/* The line in the file stays, of a device that is no more. */
void vhost_cache_remove(VhostCache *c, const char *name) {
        Answer *answer = find(c, name);

        if (answer)
                drop(c, answer);
}
