/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <string.h>

#include "daemon/config-sim.h"
#include "daemon/listen.h"
#include "util/log.h"

typedef struct Key Key;

struct Key {
        const char *section, *name;
        int (*set)(const Key *key, Config *config, const char *value);
        void (*print)(const Key *key, const Config *config, FILE *out);
        size_t offset;
        uint32_t min, max;
};

static const char *const backend_names[_BACKEND_MAX] = { [BACKEND_KERNEL] = "kernel", [BACKEND_SIM] = "sim" };

static const struct {
        const char *name;
        int level;
} log_levels[] = {
        { "err", LOG_ERR },   { "warning", LOG_WARNING }, { "notice", LOG_NOTICE },
        { "info", LOG_INFO }, { "debug", LOG_DEBUG },
};

const char *backend_kind_name(BackendKind kind) {
        return backend_names[kind];
}

static int set_backend(const Key *key, Config *config, const char *value) {
        for (BackendKind k = 0; k < _BACKEND_MAX; k++)
                if (strcmp(backend_names[k], value) == 0) {
                        config->backend = k;
                        return 0;
                }

        return -EINVAL;
}

static void print_backend(const Key *key, const Config *config, FILE *out) {
        fprintf(out, "%s = %s\n", key->name, backend_names[config->backend]);
}

static int set_log_level(const Key *key, Config *config, const char *value) {
        for (size_t i = 0; i < ELEMENTSOF(log_levels); i++)
                if (strcmp(log_levels[i].name, value) == 0) {
                        config->log_level = log_levels[i].level;
                        return 0;
                }

        return -EINVAL;
}

static void print_log_level(const Key *key, const Config *config, FILE *out) {
        for (size_t i = 0; i < ELEMENTSOF(log_levels); i++)
                if (log_levels[i].level == config->log_level)
                        fprintf(out, "%s = %s\n", key->name, log_levels[i].name);
}

static int set_path(const Key *key, Config *config, const char *value) {
        char **target = (char **) (void *) ((char *) config + key->offset);
        char *copy;

        if (value[0] != '/')
                return -EINVAL;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*target);
        *target = copy;
        return 0;
}

static void print_path(const Key *key, const Config *config, FILE *out) {
        fprintf(out, "%s = %s\n", key->name, *(char *const *) (const void *) ((const char *) config + key->offset));
}

int config_parse_uint(const char *value, uint32_t min, uint32_t max, uint32_t *ret) {
        unsigned long long n;
        char *end;

        if (value[0] < '0' || value[0] > '9')
                return -EINVAL;
        errno = 0;
        n = strtoull(value, &end, 10);
        if (*end)
                return -EINVAL;
        if (errno || n < min || n > max)
                return -ERANGE;
        *ret = (uint32_t) n;
        return 0;
}

static int set_uint(const Key *key, Config *config, const char *value) {
        uint32_t *target = (uint32_t *) (void *) ((char *) config + key->offset);

        return config_parse_uint(value, key->min, key->max, target);
}

static void print_uint(const Key *key, const Config *config, FILE *out) {
        fprintf(out, "%s = %u\n", key->name,
                *(const uint32_t *) (const void *) ((const char *) config + key->offset));
}

static int set_listen(const Key *key, Config *config, const char *value) {
        char *copy;

        if (listen_check(value) < 0)
                return -EINVAL;
        if (config->n_listen == CONFIG_LISTEN_MAX)
                return -E2BIG;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        config->listen[config->n_listen++] = copy;
        return 0;
}

static void print_listen(const Key *key, const Config *config, FILE *out) {
        for (size_t i = 0; i < config->n_listen; i++)
                fprintf(out, "%s = %s\n", key->name, config->listen[i]);
}

#define UINT_KEY(section, name, min, max)                                                                          \
        { section, #name, set_uint, print_uint, offsetof(Config, name), min, max }

static const Key keys[] = {
        { "daemon", "backend", set_backend, print_backend },
        { "daemon", "state_dir", set_path, print_path, offsetof(Config, state_dir) },
        { "daemon", "runtime_dir", set_path, print_path, offsetof(Config, runtime_dir) },
        { "daemon", "listen", set_listen, print_listen },
        { "daemon", "log_level", set_log_level, print_log_level },
        UINT_KEY("daemon", stop_timeout_sec, 1, 3600),
        UINT_KEY("limits", max_devices, 1, 1u << 20),
        UINT_KEY("limits", max_operations, 1, 1u << 16),
        UINT_KEY("limits", max_connections, 1, 1u << 16),
        UINT_KEY("limits", max_body_bytes, 1024, 1u << 28),
        UINT_KEY("limits", idle_timeout_sec, 1, 3600),
};

int config_init(Config *config) {
        *config = (Config){
                .backend = BACKEND_KERNEL,
                .state_dir = strdup("/var/lib/hsvdpa"),
                .runtime_dir = strdup("/run/hsvdpa"),
                .log_level = LOG_INFO,
                .max_devices = 1u << 20,
                .max_operations = 4096,
                .max_connections = 1024,
                .max_body_bytes = 1u << 20,
                .idle_timeout_sec = 30,
                .stop_timeout_sec = 30,
        };
        return config->state_dir && config->runtime_dir ? 0 : -ENOMEM;
}

void config_clear_listen(Config *config) {
        while (config->n_listen > 0)
                free(config->listen[--config->n_listen]);
}

void config_done(Config *config) {
        free(config->state_dir);
        free(config->runtime_dir);
        config_clear_listen(config);
        free(config->sims);
        *config = (Config){};
}

static const Key *find_key(const char *section, const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
                        return &keys[i];

        return NULL;
}

int config_set(Config *config, const char *section, const char *name, const char *value, const char *origin) {
        const Key *key = find_key(section, name);
        int r;

        if (config_sim_is_section(section))
                return config_sim_set(config, section, name, value, origin);
        if (!key)
                return log_error_errno(EINVAL, "%s: there is no key '%s' in section [%s]", origin, name, section);

        r = key->set(key, config, value);
        if (r == -ERANGE)
                return log_error_errno(r, "%s: %s must be from %u to %u, and not '%s'", origin, name, key->min,
                                       key->max, value);
        if (r == -E2BIG)
                return log_error_errno(r, "%s: there are too many values of %s", origin, name);
        if (r < 0)
                return log_error_errno(r, "%s: '%s' is not a value that %s can have", origin, value, name);
        return 0;
}

/* The library cuts the name of a section that is longer. */
#define SECTION_MAX 48

typedef struct Reader {
        Config *config;
        FILE *file;
        const char *path;
        unsigned line;
        int error;
} Reader;

static void reader_fail(Reader *reader, int error) {
        if (reader->error == 0)
                reader->error = error;
}

/* The library would take the rest of a long line for another line, whatever it says. A comment may be long. */
static void drop_long_line(Reader *reader, char *line) {
        int c = getc(reader->file);

        if (c == EOF)
                return;

        while (c != '\n' && c != EOF)
                c = getc(reader->file);
        if (line[0] != '#' && line[0] != ';')
                reader_fail(reader,
                            log_error_errno(E2BIG, "%s:%u: the line is too long", reader->path, reader->line));
        line[0] = '\0';
}

/* The library reads by this; it is how the line is known when a key is handled. An indented line is one like the
 * others, and not, as the library would have it, a second value of the key above. */
static char *read_line(char *buffer, int size, void *userdata) {
        Reader *reader = userdata;
        const char *text;

        reader->line++;
        if (!fgets(buffer, size, reader->file))
                return NULL;

        text = buffer + strspn(buffer, " \t");
        memmove(buffer, text, strlen(text) + 1);
        if (!strchr(buffer, '\n') && !feof(reader->file))
                drop_long_line(reader, buffer);
        return buffer;
}

static int handle_key(void *userdata, const char *section, const char *name, const char *value) {
        Reader *reader = userdata;
        char origin[512];
        int r;

        (void) snprintf(origin, sizeof origin, "%s:%u", reader->path, reader->line);
        if (strlen(section) > SECTION_MAX)
                r = log_error_errno(E2BIG, "%s: the name of section [%s...] is too long", origin, section);
        else
                r = config_set(reader->config, section, name, value, origin);
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

        r = ini_parse_stream(read_line, &reader, handle_key, &reader);
        if (r == 0 && ferror(reader.file))
                r = log_error_errno(EIO, "Cannot read %s: %m", path);
        else if (r > 0)
                r = log_error_errno(EINVAL, "%s:%d: neither a section nor \"key = value\"", path, r);
        fclose(reader.file);
        return r < 0 ? r : reader.error;
}

int config_finish(Config *config) {
        char socket[PATH_MAX];
        SimConfig sim = { .mgmtdevs = config->sims, .n_mgmtdevs = config->n_sims };
        Failure f = FAILURE_INIT;

        if (config->n_sims > 0 && sim_config_check(&sim, &f) < 0)
                return log_error_errno(EINVAL, "The configuration of the simulated management devices: %s",
                                       f.detail);
        if (config->n_listen > 0)
                return 0;

        (void) snprintf(socket, sizeof socket, "unix:%s/api.sock", config->runtime_dir);
        return config_set(config, "daemon", "listen", socket, "runtime_dir");
}

void config_print(const Config *config, FILE *out) {
        const char *section = "";

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                if (strcmp(section, keys[i].section) != 0) {
                        fprintf(out, "%s[%s]\n", *section ? "\n" : "", keys[i].section);
                        section = keys[i].section;
                }
                keys[i].print(&keys[i], config, out);
        }
        config_sim_print(config, out);
}
