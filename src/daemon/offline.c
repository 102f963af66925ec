/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/offline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/backend.h"
#include "daemon/manager.h"
#include "lifecycle/check.h"
#include "lifecycle/rebuild.h"
#include "store/install.h"
#include "util/fs.h"
#include "util/log.h"

static void print_json(const CheckProblem *p, bool is_repaired) {
        _cleanup_json_ json_t *line = json_pack("{s:s, s:o, s:o, s:s, s:b}", "table", p->table, "key",
                                                json_text(p->key), "problem", json_text(p->text), "repair",
                                                check_fix_text(p->fix), "repaired", is_repaired);

        if (!line || json_dumpf(line, stdout, JSON_COMPACT) < 0)
                log_oom();
        (void) putchar('\n');
}

/* Text of a damaged database can be anything. */
static void print_plain(const char *text) {
        for (const char *c = text; *c; c++)
                (void) putchar((unsigned char) *c < ' ' || *c == 0x7f ? '?' : *c);
}

static void print_problem(const CheckProblem *p, bool is_repaired) {
        print_plain(p->table);
        if (p->key[0]) {
                (void) putchar(' ');
                print_plain(p->key);
        }
        (void) fputs(": ", stdout);
        print_plain(p->text);
        (void) printf(" (%s: %s)\n", is_repaired ? "repaired" : "repair", check_fix_text(p->fix));
}

static void print_report(const CheckReport *report, const OfflineOptions *options) {
        for (size_t i = 0; i < report->n; i++)
                (options->json ? print_json : print_problem)(&report->problem[i], options->repair);
}

static int log_failure(const Failure *f, int status) {
        (void) log_error_errno(f->error, "%s", f->detail);
        return status;
}

/* Reads the inventory, if it is there and ours. */
static int read_inventory(const Config *config, Database *ret, Failure *f) {
        _cleanup_free_ char *path = fs_join(config->state_dir, "inventory.db");

        return path ? image_read(ret, path, f) : failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory");
}

static int install(const Config *config, const Database *image, Failure *f) {
        char kept[INSTALL_NAME_MAX];
        int r = install_image(config->state_dir, image, kept, f);

        if (r == 0 && kept[0])
                (void) printf("The old database is kept as %s/%s\n", config->state_dir, kept);
        return r;
}

/* Takes the lock, and goes on with what a crash has left. */
static int begin(const Config *config, Failure *f) {
        int fd = install_lock(config->state_dir, f), r;
        char kept[INSTALL_NAME_MAX];

        if (fd < 0)
                return fd;
        r = install_finish(config->state_dir, kept, f);
        if (r < 0)
                close(fd);
        return r < 0 ? r : fd;
}

static int check(Database *image, const OfflineOptions *options, Failure *f) {
        _cleanup_(check_report_done) CheckReport report = {};
        int r;

        r = check_image(image, &report, f);
        if (r < 0)
                return log_failure(f, EXIT_FSCK_OPERATIONAL);
        print_report(&report, options);
        return report.n > 0 ? EXIT_FSCK_LEFT : EXIT_SUCCESS;
}

static int repair(const Config *config, Database *image, const OfflineOptions *options, Failure *f) {
        _cleanup_(check_report_done) CheckReport report = {};
        unsigned n_lost = 0;
        int r;

        r = check_repair(image, &report, &n_lost, f);
        if (r < 0)
                return log_failure(f, r == -EUCLEAN ? EXIT_FSCK_LEFT : EXIT_FSCK_OPERATIONAL);
        if (report.n == 0)
                return EXIT_SUCCESS;
        r = check_raise_revision(image, check_next_revision(image, NULL), f);
        if (r == 0)
                r = install(config, image, f);
        if (r < 0)
                return log_failure(f, EXIT_FSCK_OPERATIONAL);
        print_report(&report, options);
        if (n_lost == 0)
                return EXIT_FSCK_REPAIRED;
        log_warning("Not all could be read: devices whose records are lost are foreign from now on");
        return EXIT_FSCK_REPAIRED | EXIT_FSCK_LEFT;
}

int offline_fsck(const Config *config, const OfflineOptions *options) {
        _cleanup_(database_done) Database image = {};
        Failure f = FAILURE_INIT;
        _cleanup_close_ int lock = begin(config, &f);
        int r;

        if (lock < 0)
                return log_failure(&f, EXIT_FSCK_OPERATIONAL);
        r = read_inventory(config, &image, &f);
        if (r == -EUCLEAN) {
                log_error("Restore a backup (hsvdpad --restore FILE), or go by what is on the host "
                          "(hsvdpad --rebuild)");
                return log_failure(&f, EXIT_FSCK_LEFT);
        }
        if (r < 0)
                return log_failure(&f, EXIT_FSCK_OPERATIONAL);
        return options->repair ? repair(config, &image, options, &f) : check(&image, options, &f);
}

/* The revision is one that nobody has seen, not even of a database that is there in vain. */
static int raise_revision(const Config *config, Database *image, Failure *f) {
        _cleanup_(database_done) Database old = {};
        Failure unused = FAILURE_INIT;
        bool is_readable = read_inventory(config, &old, &unused) == 0;

        return check_raise_revision(image, check_next_revision(image, is_readable ? &old : NULL), f);
}

static int exit_status_of(int r) {
        switch (r) {
        case -EUCLEAN:
        case -EMEDIUMTYPE:
        case -EPROTONOSUPPORT:
                return EXIT_DATABASE;
        case -EBUSY:
                return EXIT_OTHER_DAEMON;
        default:
                return EXIT_FAILURE;
        }
}

static int read_backup(const char *path, Database *image, Failure *f) {
        _cleanup_(check_report_done) CheckReport report = {};
        int r;

        r = image_read(image, path, f);
        if (r == 0)
                r = check_image(image, &report, f);
        if (r < 0 || report.n == 0)
                return r;
        print_report(&report, &(OfflineOptions){});
        return failure_set(f, ERROR_STORE_FAILED, EUCLEAN, "%s is damaged, and nothing was restored", path);
}

int offline_restore(const Config *config, const char *path) {
        _cleanup_(database_done) Database image = {};
        _cleanup_close_ int lock = -1;
        Failure f = FAILURE_INIT;
        int r;

        r = fs_make_directory(config->state_dir, 0700);
        if (r < 0)
                return log_error_errno(r, "Cannot make the state directory %s: %m", config->state_dir),
                       EXIT_FAILURE;
        lock = begin(config, &f);
        if (lock < 0)
                return log_failure(&f, exit_status_of(lock));
        r = read_backup(path, &image, &f);
        if (r == 0)
                r = raise_revision(config, &image, &f);
        if (r == 0)
                r = install(config, &image, &f);
        if (r < 0)
                return log_failure(&f, exit_status_of(r));
        (void) printf("Restored from %s\n", path);
        return EXIT_SUCCESS;
}

/* The inventory is whole, and has devices: what is known of them would be forgotten. */
static bool is_needed(const Config *config) {
        _cleanup_(check_report_done) CheckReport report = {};
        _cleanup_(database_done) Database old = {};
        Failure f = FAILURE_INIT;
        sqlite3_stmt *stmt = NULL;
        bool has_devices;

        if (read_inventory(config, &old, &f) < 0 || check_image(&old, &report, &f) < 0 || report.n > 0)
                return true;
        has_devices = sqlite3_prepare_v2(old.db, "SELECT 1 FROM device", -1, &stmt, NULL) == SQLITE_OK &&
                      sqlite3_step(stmt) == SQLITE_ROW;
        (void) sqlite3_finalize(stmt);
        return !has_devices;
}

static int rebuild(const Config *config, const OfflineOptions *options, Failure *f) {
        _cleanup_(database_done) Database image = {};
        _cleanup_(backend_freep) Backend *backend = NULL;
        RebuildCount count;
        int r;

        r = backend_open(config, &backend);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_FAILED, r, "The host cannot be looked at");
        r = image_new(&image, f);
        if (r == 0)
                r = rebuild_image(backend, options->prefix, &image, &count, f);
        if (r == 0)
                r = raise_revision(config, &image, f);
        if (r == 0)
                r = install(config, &image, f);
        if (r == 0)
                (void) printf("%zu devices are in the inventory, %zu are left as foreign\n", count.n_taken,
                              count.n_left);
        return r;
}

int offline_rebuild(const Config *config, const OfflineOptions *options) {
        _cleanup_close_ int lock = -1;
        Failure f = FAILURE_INIT;
        int r;

        r = fs_make_directory(config->state_dir, 0700);
        if (r == 0)
                r = fs_make_directory(config->runtime_dir, 0755);
        if (r < 0)
                return log_error_errno(r, "Cannot make the directories: %m"), EXIT_FAILURE;
        lock = begin(config, &f);
        if (lock < 0)
                return log_failure(&f, exit_status_of(lock));
        if (!options->force && !is_needed(config)) {
                log_error("The inventory in %s is whole and has devices: owners, labels and all else that only it "
                          "knows would be lost. --force does it all the same",
                          config->state_dir);
                return EXIT_FAILURE;
        }
        r = rebuild(config, options, &f);
        return r < 0 ? log_failure(&f, exit_status_of(r)) : EXIT_SUCCESS;
}
