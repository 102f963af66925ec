/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "inventory/idlist.h"
#include "inventory/mgmtdev.h"
#include "inventory/spec-json.h"
#include "store/database.h"
#include "util/fs.h"
#include "util/workqueue.h"

/* Changes that wait for the disk. Each request waits for its own, so the number of requests bounds them; what is
 * queued without anyone waiting comes on top of that. */
#define MAX_QUEUED 262144

/* Revisions are given out for more than what is recorded, and faster than it is. So they are reserved on the disk,
 * this many at a time, and what is recorded there is above them all. */
#define REVISIONS_RESERVED (UINT64_C(1) << 24)

/* "name", "spec" and the others of a record share one allocation that the change owns. */
typedef struct Change {
        Work work;
        enum { CHANGE_PUT, CHANGE_REMOVE, CHANGE_MGMTDEV, CHANGE_BOOT_ID } kind;
        StoreRecord record;      /* of a put; of a removal only name and revision; of a boot ID name is the ID */
        StoreMgmtdev mgmtdev;    /* of a management device, beside the record's revision */
        StoreQuarantine release; /* mgmtdev is NULL if nothing is released */
        uint64_t purge_usec;     /* what was released before that matters no more */
        char *strings;
        store_done_t done;
        void *userdata;
        Failure failure;
} Change;

struct Store {
        Database database;
        Workqueue *writer;
        int lock_fd;
        uint64_t revision; /* the first one of this start */
        uint64_t reserved; /* up to here, durably; the writer's once it has something to do */
        char boot_id[64];
};

static Change *change_free(Change *change) {
        free(change->strings);
        free(change);
        return NULL;
}

/* On the loop's thread, after the writer is through with it. */
static void on_change_done(Work *work) {
        Change *change = CONTAINER_OF(work, Change, work);

        if (change->done)
                change->done(change->userdata, change->failure.code == ERROR_NONE ? NULL : &change->failure);
        change_free(change);
}

static int apply_kind(Database *db, const Change *change, Failure *f) {
        switch (change->kind) {
        case CHANGE_PUT:
                return database_put_device(db, &change->record, f);
        case CHANGE_REMOVE:
                return database_remove_device(db, change->record.name, f);
        case CHANGE_MGMTDEV:
                return database_put_mgmtdev(db, &change->mgmtdev, f);
        case CHANGE_BOOT_ID:
                return database_set_boot_id(db, change->record.name, f);
        }

        return -EINVAL;
}

static int apply(Database *db, const Change *change, Failure *f) {
        int r = apply_kind(db, change, f);

        return r == 0 && change->release.mgmtdev
                       ? database_add_quarantine(db, &change->release, change->purge_usec, f)
                       : r;
}

/* One transaction. Returns 0, or a negative errno with nothing applied and f set. */
static int commit(Store *store, Change **changes, size_t n, Failure *f) {
        uint64_t revision = store->revision, reserved = store->reserved;
        Database *db = &store->database;
        int r;

        r = database_run(db, STATEMENT_BEGIN, f);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n && r == 0; i++) {
                r = apply(db, changes[i], f);
                if (changes[i]->record.revision > revision)
                        revision = changes[i]->record.revision;
        }
        if (r == 0 && revision + MAX_QUEUED > reserved) {
                reserved = revision + REVISIONS_RESERVED;
                r = database_set_revision(db, reserved, f);
        }
        if (r == 0)
                r = database_run(db, STATEMENT_COMMIT, f);
        if (r < 0) {
                /* SQLite may have rolled back by itself (disk full): an error here says just that. */
                (void) database_run(db, STATEMENT_ROLLBACK, NULL);
                return r;
        }

        store->reserved = reserved;
        return 0;
}

/* One transaction for all. If it fails, each change is tried alone, so that what one of them cannot do does not
 * take its neighbours along; but what keeps the database locked would be waited for once more by each. */
static void commit_all(Store *store, Change **changes, size_t n) {
        Failure f = FAILURE_INIT;
        int r = commit(store, changes, n, &f);

        for (size_t i = 0; i < n && r < 0; i++)
                if (n == 1 || r == -EBUSY)
                        changes[i]->failure = f;
                else
                        (void) commit(store, &changes[i], 1, &changes[i]->failure);
}

/* On the writer's thread. */
static void process(Workqueue *queue, WorkList *batch, void *userdata) {
        Store *store = userdata;
        Change *changes[1024];

        while (!STAILQ_EMPTY(batch)) {
                size_t n = 0;

                while (n < ELEMENTSOF(changes) && !STAILQ_EMPTY(batch)) {
                        changes[n++] = CONTAINER_OF(STAILQ_FIRST(batch), Change, work);
                        STAILQ_REMOVE_HEAD(batch, entry);
                }
                commit_all(store, changes, n);
                for (size_t i = 0; i < n; i++)
                        workqueue_report(queue, &changes[i]->work);
        }
}

static int take_lock(const char *directory, int *ret, Failure *f) {
        _cleanup_free_ char *path = fs_join(directory, "inventory.lock");
        _cleanup_close_ int fd = -1;

        if (!path)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory");

        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot open %s: %m", path);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno == EWOULDBLOCK)
                        return failure_set(f, ERROR_STORE_FAILED, EBUSY,
                                           "Another hsvdpad is using %s: stop it first, or give this one another "
                                           "state directory",
                                           directory);
                return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot lock %s: %m", path);
        }

        *ret = TAKE_FD(fd);
        return 0;
}

/* The names of new files must be durable too before a commit in them counts. */
static int sync_directory(const char *directory, Failure *f) {
        _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0)
                return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot sync %s: %m", directory);
        return 0;
}

static int read_revision(Store *store, Failure *f) {
        unsigned long long n;
        char text[24], *end;
        int r;

        r = database_get_meta(&store->database, "revision", text, sizeof text, f);
        if (r < 0)
                return r;
        errno = 0;
        n = strtoull(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end || errno || n > INT64_MAX - REVISIONS_RESERVED)
                return failure_set(f, ERROR_STORE_FAILED, EUCLEAN,
                                   "The database has no usable value of 'revision'");

        store->revision = store->reserved = n;
        return 0;
}

int store_open(sd_event *event, const char *directory, Store **ret, Failure *f) {
        _cleanup_free_ char *path = fs_join(directory, "inventory.db");
        _cleanup_(store_closep) Store *store = NULL;
        int r;

        store = calloc(1, sizeof *store);
        if (!store)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory");
        store->lock_fd = -1;
        if (!path)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory");

        r = take_lock(directory, &store->lock_fd, f);
        if (r < 0)
                return r;
        r = database_open(&store->database, path, f);
        if (r < 0)
                return r;
        r = sync_directory(directory, f);
        if (r < 0)
                return r;
        r = database_get_meta(&store->database, "boot_id", store->boot_id, sizeof store->boot_id, f);
        if (r < 0)
                return r;
        r = read_revision(store, f);
        if (r < 0)
                return r;

        r = workqueue_new(event, "store", MAX_QUEUED, process, store, &store->writer);
        if (r < 0)
                return failure_set(f, ERROR_STORE_FAILED, r, "Cannot start the store's thread: %s", strerror(-r));

        *ret = TAKE_PTR(store);
        return 0;
}

Store *store_close(Store *store) {
        if (!store)
                return NULL;

        workqueue_free(store->writer);
        database_done(&store->database);
        if (store->lock_fd >= 0)
                close(store->lock_fd);
        free(store);
        return NULL;
}

int store_load(Store *store, const StoreLoader *loader, void *userdata, Failure *f) {
        Database *db = &store->database;
        int r = 0;

        if (loader->mgmtdev)
                r = database_list_mgmtdevs(db, loader->mgmtdev, userdata, f);
        if (r == 0 && loader->device)
                r = database_list_devices(db, loader->device, userdata, f);
        if (r == 0 && loader->quarantine)
                r = database_list_quarantine(db, loader->quarantine, userdata, f);

        /* Only now is it known that all of it is ours and whole. If the disk is full, the first change that it
         * takes reserves them. */
        if (r == 0)
                (void) commit(store, NULL, 0, NULL);
        return r;
}

uint64_t store_revision(const Store *store) {
        return store->revision;
}

const char *store_boot_id(const Store *store) {
        return store->boot_id;
}

/* Queues a change whose strings are taken over, also on failure. */
static int submit(Store *store, const Change *template) {
        Change *change;
        int r;

        change = malloc(sizeof *change);
        if (!change) {
                free(template->strings);
                return -ENOMEM;
        }

        *change = *template;
        change->work.done = on_change_done;
        r = workqueue_submit(store->writer, &change->work);
        if (r < 0)
                change_free(change);
        return r;
}

/* A string, and where its copy is wanted. */
typedef struct Text {
        const char *source;
        const char **target;
} Text;

/* Copies them one behind the other. */
static int copy_texts(const Text *texts, size_t n, char **ret) {
        char *strings, *p;
        size_t size = 0;

        for (size_t i = 0; i < n; i++)
                size += strlen(texts[i].source) + 1;
        strings = p = malloc(size);
        if (!strings)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                *texts[i].target = p;
                p = stpcpy(p, texts[i].source) + 1;
        }

        *ret = strings;
        return 0;
}

/* What a device holds, as text. */
typedef struct Holdings {
        const char *asid_space;
        char *asids, *msis;
} Holdings;

static void holdings_done(Holdings *h) {
        free(h->asids);
        free(h->msis);
}

static int holdings_of(const Device *device, Holdings *ret) {
        const DeviceResources *r = &device->resources;

        ret->asid_space = r->ids ? device->mgmtdev->space->key : "";
        ret->asids = idlist_format(device_resources_asids(r), r->n_asids);
        ret->msis = idlist_format(r->ids ? device_resources_msis(r) : NULL, r->n_msis);
        return ret->asids && ret->msis ? 0 : -ENOMEM;
}

/* Fills in what is written, of which the strings are copied. release: NULL if it holds on to what it holds. */
static int fill_change(Change *change, const Device *device, const char *spec, const StoreRelease *release) {
        _cleanup_(holdings_done) Holdings h = {};
        StoreRecord *record = &change->record;
        const char *unused[3];
        const char **held[] = { &record->asid_space, &record->asids, &record->msis };
        const char **released[] = { &change->release.asid_space, &change->release.asids, &change->release.msis };
        bool releases = release && device->resources.ids;

        if (holdings_of(device, &h) < 0)
                return -ENOMEM;

        if (releases) {
                change->release.mgmtdev = "";
                change->release.released_usec = release->now_usec;
                change->purge_usec = release->now_usec - (release->now_usec > release->quarantine_usec
                                                                  ? release->quarantine_usec
                                                                  : release->now_usec);
        }
        record->n_vqs = release ? 0 : device->resources.n_vqs;

        const Text texts[] = {
                { device->name, &record->name },
                { device->uid, &record->uid },
                { device->mgmtdev->info.handle, &record->mgmtdev },
                { spec, &record->spec },
                { device->reason ? error_info(device->reason->code)->code : "", &record->reason_code },
                { device->reason ? device->reason->detail : "", &record->reason },
                { device->holder ? device->holder->name : "", &record->holder },
                { release ? "" : h.asid_space, held[0] },
                { release ? "" : h.asids, held[1] },
                { release ? "" : h.msis, held[2] },
                { releases ? h.asid_space : "", releases ? released[0] : &unused[0] },
                { releases ? h.asids : "", releases ? released[1] : &unused[1] },
                { releases ? h.msis : "", releases ? released[2] : &unused[2] },
        };
        if (copy_texts(texts, ELEMENTSOF(texts), &change->strings) < 0)
                return -ENOMEM;
        if (releases)
                change->release.mgmtdev = record->mgmtdev;
        return 0;
}

static int put(Store *store, const Device *device, const StoreRelease *release, store_done_t done, void *userdata) {
        _cleanup_json_ json_t *json = device_spec_encode(&device->spec);
        _cleanup_free_ char *spec = NULL;
        Change change = {
                .kind = CHANGE_PUT,
                .record = {
                        .revision = device->revision,
                        .created_revision = device->created_revision,
                        .created_usec = device->created_usec,
                        .generation = device->generation,
                        .state = device->state,
                },
                .done = done,
                .userdata = userdata,
        };

        spec = json ? json_dumps(json, JSON_COMPACT) : NULL;
        if (!spec || fill_change(&change, device, spec, release) < 0)
                return -ENOMEM;

        return submit(store, &change);
}

int store_put_device(Store *store, const Device *device, store_done_t done, void *userdata) {
        return put(store, device, NULL, done, userdata);
}

int store_put_released(Store *store, const Device *device, const StoreRelease *release, store_done_t done,
                       void *userdata) {
        return put(store, device, release, done, userdata);
}

int store_remove_device(Store *store, const Device *device, uint64_t revision, const StoreRelease *release,
                        store_done_t done, void *userdata) {
        Change change = { .kind = CHANGE_REMOVE, .record.revision = revision, .done = done, .userdata = userdata };

        if (fill_change(&change, device, "", release) < 0)
                return -ENOMEM;
        return submit(store, &change);
}

static char *dump(json_t *json) {
        return json ? json_dumps(json, JSON_COMPACT) : NULL;
}

int store_put_mgmtdev(Store *store, const char *handle, const MgmtdevSettings *settings, uint64_t revision,
                      store_done_t done, void *userdata) {
        _cleanup_json_ json_t *budgets = budget_settings_encode(settings->budgets);
        _cleanup_free_ char *overrides = dump(budgets), *labels = dump(settings->labels);
        Change change = { .kind = CHANGE_MGMTDEV, .record.revision = revision, .done = done, .userdata = userdata };
        const Text texts[] = {
                { handle, &change.mgmtdev.handle },
                { !settings->has_cordoned ? ""
                  : settings->cordoned    ? "yes"
                                          : "no",
                  &change.mgmtdev.cordoned },
                { labels ? labels : "", &change.mgmtdev.labels },
                { json_object_size(budgets) > 0 ? overrides : "", &change.mgmtdev.overrides },
        };

        if (!overrides || (settings->labels && !labels) ||
            copy_texts(texts, ELEMENTSOF(texts), &change.strings) < 0)
                return -ENOMEM;
        return submit(store, &change);
}

int store_put_boot_id(Store *store, const char *boot_id, store_done_t done, void *userdata) {
        Change change = { .kind = CHANGE_BOOT_ID, .done = done, .userdata = userdata };

        change.strings = strdup(boot_id);
        if (!change.strings)
                return -ENOMEM;
        change.record.name = change.strings;
        return submit(store, &change);
}

Workqueue *store_writer(Store *store) {
        return store->writer;
}

bool store_drain(Store *store, uint64_t timeout_usec) {
        return workqueue_drain(store->writer, timeout_usec);
}
