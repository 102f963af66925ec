/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reading the files. The library splits lines into sections, keys and values; what it would silently cut, skip or
 * take for something else is found here, where it gets its lines from. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/config-table.h"
#include "util/fs.h"
#include "util/log.h"

#define BOM "\xef\xbb\xbf"

typedef struct Reader {
        Config *config;
        FILE *file;
        const char *path;
        unsigned line;
        char section[CONFIG_SECTION_MAX];
        bool skip; /* there is no such section, which was said */
        int error; /* the first */
} Reader;

static void reader_fail(Reader *reader, int error) {
        if (reader->error == 0)
                reader->error = error;
}

static void format_origin(const Reader *reader, char ret[static 512]) {
        (void) snprintf(ret, 512, "%s:%u", reader->path, reader->line);
}

/* One line without its end. What does not fit is dropped: the library would take it for another line, whatever it
 * says. A comment may be long. Returns false at the end of the file. */
static bool get_line(Reader *reader, char *line, size_t size) {
        bool has_nul = false, is_comment, is_long;
        size_t n = 0;
        int c;

        for (c = getc(reader->file); c != EOF && c != '\n'; c = getc(reader->file)) {
                has_nul |= c == '\0';
                if (n == 0 && (c == ' ' || c == '\t'))
                        continue;
                if (n < size)
                        line[n] = (char) c;
                n += n < size;
        }
        if (c == EOF && n == 0)
                return false;

        is_long = n == size;
        line[is_long ? size - 1 : n] = '\0';
        is_comment = line[0] == '#' || line[0] == ';';
        if (has_nul)
                reader_fail(reader, log_error_errno(EINVAL, "%s:%u: there is a NUL byte in the line", reader->path,
                                                    reader->line));
        else if (is_long && !is_comment)
                reader_fail(reader,
                            log_error_errno(E2BIG, "%s:%u: the line is too long", reader->path, reader->line));
        if (has_nul || is_long || is_comment)
                line[0] = '\0';
        return true;
}

/* "[section]": the library tells of it only with a key, and cuts its name. */
static void begin_section(Reader *reader, const char *line) {
        const char *end = strchr(line, ']');
        char origin[512];
        int r;

        if (line[0] != '[' || !end)
                return;

        format_origin(reader, origin);
        (void) snprintf(reader->section, sizeof reader->section, "%.*s", (int) (end - line - 1), line + 1);
        r = config_begin_section(reader->config, reader->section, origin);
        reader->skip = r < 0;
        if (r < 0)
                reader_fail(reader, r);
}

/* The library reads by this; it is how the line is known when a key is handled. An indented line is one like the
 * others, and not, as the library would have it, a second value of the key above. */
static char *read_line(char *buffer, int size, void *userdata) {
        Reader *reader = userdata;

        reader->line++;
        if (!get_line(reader, buffer, (size_t) size))
                return NULL;
        if (reader->line == 1 && strncmp(buffer, BOM, strlen(BOM)) == 0)
                memmove(buffer, buffer + strlen(BOM), strlen(buffer + strlen(BOM)) + 1);

        begin_section(reader, buffer);
        return buffer;
}

static int handle_key(void *userdata, const char *section, const char *name, const char *value) {
        Reader *reader = userdata;
        const char *first;
        char origin[512];
        int r;

        if (reader->skip)
                return 1;

        format_origin(reader, origin);
        if (config_is_set_twice(reader->config, reader->section, name, &first))
                r = log_error_errno(EEXIST, "%s: %s was set before, at %s", origin, name, first);
        else
                r = config_set(reader->config, reader->section, name, value, origin);
        if (r < 0)
                reader_fail(reader, r);
        return 1;
}

int config_read(Config *config, const char *path) {
        Reader reader = { .config = config, .path = path };
        int r;

        reader.file = fopen(path, "re");
        if (!reader.file)
                return errno == ENOENT ? -ENOENT : log_error_errno(errno, "Cannot read %s: %m", path);

        config_begin_source(config);
        r = ini_parse_stream(read_line, &reader, handle_key, &reader);
        if (r == -2)
                r = log_oom();
        else if (ferror(reader.file))
                r = log_error_errno(EIO, "Cannot read %s: %m", path);
        else if (r > 0)
                r = log_error_errno(EINVAL, "%s:%d: neither a section nor \"key = value\"", path, r);
        fclose(reader.file);
        return r < 0 ? r : reader.error;
}

typedef struct DropIns {
        char *paths[CONFIG_DROP_INS_MAX];
        size_t n;
} DropIns;

static void drop_ins_done(DropIns *d) {
        for (size_t i = 0; i < d->n; i++)
                free(d->paths[i]);
}

static const char *file_name(const char *path) {
        return strrchr(path, '/') + 1;
}

static int compare_file_names(const void *a, const void *b) {
        const char *const *x = a, *const *y = b;

        return strcmp(file_name(*x), file_name(*y));
}

static bool is_masked(const DropIns *d, const char *name) {
        for (size_t i = 0; i < d->n; i++)
                if (strcmp(file_name(d->paths[i]), name) == 0)
                        return true;

        return false;
}

static bool is_drop_in(const char *name) {
        const char *dot = strrchr(name, '.');

        return name[0] != '.' && dot && strcmp(dot, ".conf") == 0;
}

static int find_drop_ins(DropIns *d, const char *directory) {
        const struct dirent *entry;
        DIR *dir = opendir(directory);
        int r = 0;

        if (!dir)
                return errno == ENOENT ? 0 : log_error_errno(errno, "Cannot read %s: %m", directory);

        while (r == 0 && (entry = readdir(dir))) {
                if (!is_drop_in(entry->d_name) || is_masked(d, entry->d_name))
                        continue;
                if (d->n == CONFIG_DROP_INS_MAX) {
                        r = log_error_errno(E2BIG, "%s: there are more than %d files to read", directory,
                                            CONFIG_DROP_INS_MAX);
                        break;
                }
                d->paths[d->n] = fs_join(directory, entry->d_name);
                if (!d->paths[d->n])
                        r = log_oom();
                else
                        d->n++;
        }
        (void) closedir(dir);
        return r;
}

int config_read_drop_ins(Config *config, const char *const *directories) {
        _cleanup_(drop_ins_done) DropIns d = {};
        int r = 0;

        for (; *directories && r == 0; directories++)
                r = find_drop_ins(&d, *directories);
        if (r < 0)
                return r;

        qsort(d.paths, d.n, sizeof *d.paths, compare_file_names);
        for (size_t i = 0; i < d.n; i++) {
                int k = config_read(config, d.paths[i]);

                /* It may have gone since it was listed. */
                if (k < 0 && k != -ENOENT && r == 0)
                        r = k;
        }

        return r;
}
