/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/device-notes.h"

#include <assert.h>
#include <bsd/string.h>
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

/* The file is a log, a line for each note; it is written anew when it has so many lines more than there are
 * notes, and as many again as those. */
#define SURPLUS_LINES 1000

/* A line is longer only if it makes no sense. */
#define LINE_MAX_SIZE (DEVICE_NAME_MAX + 64 + VQ_GROUPS_TEXT_MAX)

typedef struct Note {
        RB_ENTRY(Note) by_name;
        char name[DEVICE_NAME_MAX];
        uint64_t inode; /* of the device's directory in sysfs; 0: whichever comes first */
        VhostGroups groups;
} Note;

RB_HEAD(NoteTree, Note);

static int note_compare(const Note *a, const Note *b) {
        return strcmp(a->name, b->name);
}

/* What RB_GENERATE_STATIC() stands for where __unused is known, which it is not on Linux. */
RB_GENERATE_INTERNAL(NoteTree, Note, by_name, note_compare, _unused_ static)

struct DeviceNotes {
        const char *root; /* borrowed */
        struct NoteTree notes;
        size_t n_notes, n_lines;
        char *path, *new_path; /* NULL: there is no file */
        FILE *file;            /* to append to; NULL: there is none, or it cannot be written */
};

static Note *find(DeviceNotes *n, const char *name) {
        Note key;

        (void) strlcpy(key.name, name, sizeof key.name);
        return RB_FIND(NoteTree, &n->notes, &key);
}

static void drop(DeviceNotes *n, Note *note) {
        RB_REMOVE(NoteTree, &n->notes, note);
        n->n_notes--;
        free(note);
}

/* False: there is no such device. */
static bool get_inode(const DeviceNotes *n, const char *name, uint64_t *ret) {
        char path[SYSFS_PATH_MAX];
        struct stat st;

        if (sysfs_path(path, "%s/sys/bus/vdpa/devices/%s", n->root, name) < 0 || stat(path, &st) < 0)
                return false;
        *ret = st.st_ino;
        return true;
}

/* NULL: there is no device, no note of the name, or one of a device that it had before. */
static Note *find_current(DeviceNotes *n, const char *name) {
        Note *note = find(n, name);
        uint64_t inode;

        return note && get_inode(n, name, &inode) && (note->inode == inode || note->inode == 0) ? note : NULL;
}

/* NULL: out of memory. */
static Note *set(DeviceNotes *n, const char *name, uint64_t inode, const VhostGroups *groups) {
        Note *note = find(n, name);

        if (!note) {
                note = calloc(1, sizeof *note);
                if (!note)
                        return NULL;
                (void) snprintf(note->name, sizeof note->name, "%s", name);
                (void) RB_INSERT(NoteTree, &n->notes, note);
                n->n_notes++;
        }

        note->inode = inode;
        note->groups = *groups;
        return note;
}

static bool write_note(FILE *file, const Note *note) {
        char vqs[VQ_GROUPS_TEXT_MAX];

        return fprintf(file, "%s %" PRIu64 " %" PRIu32 " %" PRIu32 " %s\n", note->name, note->inode,
                       note->groups.n_vq_groups, note->groups.n_address_spaces,
                       vq_groups_format(&note->groups.vqs, vqs)) > 0;
}

/* Without the file everything goes on until the daemon ends. */
static void give_up_file(DeviceNotes *n) {
        if (n->file)
                (void) fclose(n->file);
        n->file = NULL;
}

static bool write_all(DeviceNotes *n, FILE *file) {
        Note *note;

        RB_FOREACH(note, NoteTree, &n->notes)
                if (!write_note(file, note))
                        return false;

        return fflush(file) == 0;
}

/* The old file stays until the new one is whole. */
static void rewrite(DeviceNotes *n) {
        int fd;

        give_up_file(n);
        fd = open(n->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return;
        n->file = fdopen(fd, "w");
        if (!n->file) {
                close(fd);
                return;
        }
        if (!write_all(n, n->file))
                give_up_file(n);
        CRASH_POINT(KERNEL_NOTES_REWRITTEN);
        if (n->file && rename(n->new_path, n->path) < 0)
                give_up_file(n);
        n->n_lines = n->n_notes;
}

/* A line for the note; note is NULL: that there is none of the name any more. */
static void append(DeviceNotes *n, const char *name, const Note *note) {
        if (!n->file)
                return;
        if (++n->n_lines > 2 * n->n_notes + SURPLUS_LINES)
                rewrite(n);
        else if (!(note ? write_note(n->file, note) : fprintf(n->file, "-%s\n", name) > 0) || fflush(n->file) != 0)
                give_up_file(n);
        CRASH_POINT(KERNEL_NOTE_WRITTEN);
}

/* Of one device. A line of a daemon that did not ask for the groups of virtqueues ends before them. */
static bool parse_note(char *line, char name[DEVICE_NAME_MAX], uint64_t *ret_inode, VhostGroups *ret) {
        VhostGroups groups = {};
        int end = 0;

        static_assert(DEVICE_NAME_MAX == 64, "the width of a name is written out below");
        if (sscanf(line, "%63s %" SCNu64 " %" SCNu32 " %" SCNu32 "%n", name, ret_inode, &groups.n_vq_groups,
                   &groups.n_address_spaces, &end) != 4)
                return false;
        if (line[end] && (line[end] != ' ' || vq_groups_parse(line + end + 1, &groups.vqs) < 0))
                return false;

        *ret = groups;
        return device_name_is_valid(name);
}

static void forget(DeviceNotes *n, const char *name) {
        Note *note = find(n, name);

        if (note)
                drop(n, note);
}

/* Only of devices that are still there: others have gone while no daemon saw it. */
static int read_line(DeviceNotes *n, char *line) {
        char name[DEVICE_NAME_MAX];
        VhostGroups groups;
        uint64_t inode, now;

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '-')
                forget(n, line + 1);
        else if (parse_note(line, name, &inode, &groups)) {
                if (get_inode(n, name, &now) && (inode == now || inode == 0))
                        return set(n, name, inode, &groups) ? 0 : -ENOMEM;
                forget(n, name);
        }
        return 0;
}

static int read_file(DeviceNotes *n) {
        char line[LINE_MAX_SIZE];
        bool is_begin = true;
        FILE *file;
        int r = 0;

        file = fopen(n->path, "re");
        if (!file)
                return 0;

        while (r >= 0 && fgets(line, sizeof line, file)) {
                bool was_begin = is_begin;

                is_begin = strchr(line, '\n') != NULL;
                if (was_begin && is_begin)
                        r = read_line(n, line);
        }
        (void) fclose(file);
        return r;
}

int device_notes_new(const char *root, const char *directory, DeviceNotes **ret) {
        _cleanup_(device_notes_freep) DeviceNotes *n = calloc(1, sizeof *n);
        int r;

        if (!n)
                return -ENOMEM;
        n->root = root;
        RB_INIT(&n->notes);

        if (directory) {
                n->path = fs_join(directory, DEVICE_NOTES_FILE);
                n->new_path = fs_join(directory, DEVICE_NOTES_FILE ".new");
                if (!n->path || !n->new_path)
                        return -ENOMEM;
                r = read_file(n);
                if (r < 0)
                        return r;
                rewrite(n);
        }

        *ret = TAKE_PTR(n);
        return 0;
}

DeviceNotes *device_notes_free(DeviceNotes *n) {
        if (!n)
                return NULL;

        while (!RB_EMPTY(&n->notes))
                drop(n, RB_ROOT(&n->notes));
        give_up_file(n);
        free(n->path);
        free(n->new_path);
        free(n);
        return NULL;
}

void device_notes_expect(DeviceNotes *n, const char *name) {
        const Note *note = set(n, name, 0, &(VhostGroups){});

        if (note)
                append(n, name, note);
}

void device_notes_take(DeviceNotes *n, const char *name) {
        const Note *known = find(n, name);
        uint64_t inode;

        if (!get_inode(n, name, &inode) || (known && known->inode == inode))
                return;
        known = set(n, name, inode, &(VhostGroups){});
        if (known)
                append(n, name, known);
}

bool device_notes_is_ours(DeviceNotes *n, const char *name) {
        return find_current(n, name);
}

bool device_notes_get_groups(DeviceNotes *n, const char *name, VhostGroups *ret) {
        const Note *note = find_current(n, name);

        *ret = note ? note->groups : (VhostGroups){};
        return note;
}

void device_notes_put_groups(DeviceNotes *n, const char *name, uint64_t inode, const VhostGroups *groups) {
        const Note *note = NULL;

        if (inode > 0 || get_inode(n, name, &inode))
                note = set(n, name, inode, groups);
        if (note)
                append(n, name, note);
        else
                device_notes_remove(n, name);
}

/* The line in the file stays, of a device that is no more; not one that fits any device. */
void device_notes_remove(DeviceNotes *n, const char *name) {
        Note *note = find(n, name);
        bool was_expected = note && note->inode == 0;

        if (note)
                drop(n, note);
        if (was_expected)
                append(n, name, NULL);
}
