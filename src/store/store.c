/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "inventory/idlist.h"
#include "inventory/mgmtdev.h"
#include "inventory/pool-json.h"
#include "inventory/spec-parts.h"
#include "store/database.h"
#include "store/install.h"
#include "store/trouble.h"
#include "util/crash.h"
#include "util/fs.h"
#include "util/workqueue.h"

/* Changes that wait for the disk. Each request waits for its own, so the number of requests bounds them; what is
 * queued without anyone waiting comes on top of that. */
#define MAX_QUEUED 262144

/* Revisions are given out for more than what is recorded, and faster than it is. So they are reserved on the disk,
 * this many at a time, and what is recorded there is above them all. Those that are given out before the next
 * change is recorded are fewer than what is left when more are reserved: some six for each operation that there may
 * be. */
#define REVISIONS_RESERVED (UINT64_C(1) << 24)
#define REVISIONS_LEFT     (UINT64_C(1) << 20)

/* "name", "spec" and the others of a record share one allocation that the change owns. */
typedef struct Change {
        Work work;
        Store *store; /* weak */
        enum {
                CHANGE_PUT,
                CHANGE_REMOVE,
                CHANGE_MGMTDEV,
                CHANGE_POOL,
                CHANGE_BOOT_ID,
                CHANGE_END_HOLDER,
                CHANGE_NOTES,
                CHANGE_NOTHING,
        } kind;
        StoreRecord record;       /* of a put; of a removal only name and revision; of a boot ID and the end of a
                                     holder name is the ID, or the holder */
        StoreMgmtdev mgmtdev;     /* of a management device, beside the record's revision */
        StorePool pool;           /* of a pool */
        StoreQuarantine release;  /* mgmtdev is NULL if nothing is released */
        uint64_t purge_usec;      /* what was released before that matters no more */
        StoreReceipt receipt;     /* key is NULL: none */
        StoreTombstone tombstone; /* name is NULL: none */
        uint64_t intended_revision, settled_revision; /* 0: none */
        char *strings, *receipt_strings, *tombstone_strings;
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
        Trouble trouble;    /* loop's thread only */
        DurableClock clock; /* does not change while the writer runs */
        sd_event *event;
        char *path;        /* of the database */
        Workqueue *copier; /* NULL: there was no backup yet */
        unsigned n_images; /* that are being made, or not yet freed */
};

static Change *change_free(Change *change) {
        free(change->strings);
        free(change->receipt_strings);
        free(change->tombstone_strings);
        free(change);
        return NULL;
}

/* On the loop's thread, after the writer is through with it. */
static void on_change_done(Work *work) {
        Change *change = CONTAINER_OF(work, Change, work);
        const Failure *failure = change->failure.code == ERROR_NONE ? NULL : &change->failure;
        Store *store = change->store;
        bool is_over = trouble_note(&store->trouble, failure);

        if (change->kind == CHANGE_NOTHING && failure)
                trouble_postpone(&store->trouble);
        if (change->done)
                change->done(change->userdata, failure);
        change_free(change);
        if (is_over)
                trouble_tell(&store->trouble);
}

static int apply_kind(Database *db, const Change *change, Failure *f) {
        switch (change->kind) {
        case CHANGE_PUT:
                return database_put_device(db, &change->record, f);
        case CHANGE_REMOVE:
                return database_remove_device(db, change->record.name, f);
        case CHANGE_MGMTDEV:
                return database_put_mgmtdev(db, &change->mgmtdev, f);
        case CHANGE_POOL:
                return database_put_pool(db, &change->pool, f);
        case CHANGE_BOOT_ID:
                return database_set_boot_id(db, change->record.name, f);
        case CHANGE_END_HOLDER:
                return database_end_holder(db, change->record.name, f);
        case CHANGE_NOTES:
        case CHANGE_NOTHING:
                return 0;
        }

        return -EINVAL;
}

static int apply(Database *db, const Change *change, Failure *f) {
        int r = apply_kind(db, change, f);

        if (r == 0 && change->release.mgmtdev)
                r = database_add_quarantine(db, &change->release, change->purge_usec, f);
        if (r == 0 && change->settled_revision > 0)
                r = database_end_intent(db, change->settled_revision, f);
        if (r == 0 && change->intended_revision > 0)
                r = database_add_intent(db, change->intended_revision, f);
        if (r == 0 && change->receipt.key)
                r = database_put_receipt(db, &change->receipt, f);
        if (r == 0 && change->tombstone.name)
                r = database_put_tombstone(db, &change->tombstone, f);
        return r;
}

static int record_clock(Store *store, Failure *f) {
        ClockRecord now;

        durable_clock_read(&store->clock, &now);
        return database_set_clock(&store->database, &now, f);
}

/* One transaction. Returns 0, or a negative errno with nothing applied and f set. */
static int commit(Store *store, Change **changes, size_t n, Failure *f) {
        uint64_t revision = store->revision, reserved = store->reserved;
        Database *db = &store->database;
        bool must_write = false;
        int r;

        r = database_run(db, STATEMENT_BEGIN, f);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n && r == 0; i++) {
                r = apply(db, changes[i], f);
                must_write |= changes[i]->kind == CHANGE_NOTHING;
                if (changes[i]->record.revision > revision)
                        revision = changes[i]->record.revision;
        }
        /* What is there already SQLite would not write again. */
        if (r == 0 && (must_write || revision + REVISIONS_LEFT > reserved)) {
                reserved = (revision + REVISIONS_RESERVED > reserved ? revision + REVISIONS_RESERVED : reserved) +
                           1;
                r = database_set_revision(db, reserved, f);
        }
        CRASH_POINT(STORE_BEFORE_COMMIT);
        if (r == 0)
                r = record_clock(store, f);
        if (r == 0)
                r = database_run(db, STATEMENT_COMMIT, f);
        CRASH_POINT(STORE_AFTER_COMMIT);
        if (r < 0) {
                /* SQLite may have rolled back by itself (disk full): an error here says just that. */
                (void) database_run(db, STATEMENT_ROLLBACK, NULL);
                return r;
        }

        store->reserved = reserved;
        return 0;
}

/* One transaction for all. If that fails by one of them (or for want of memory), each is tried alone, so that it
 * does not take its neighbours along. A disk that fails would fail each of them, and perhaps take its time each
 * time. */
static void commit_all(Store *store, Change **changes, size_t n) {
        Failure f = FAILURE_INIT;
        int r = commit(store, changes, n, &f);

        if ((r == -ENOSPC || r == -EDQUOT) && database_make_room(&store->database))
                r = commit(store, changes, n, &f);
        for (size_t i = 0; i < n && r < 0; i++)
                if (n == 1 || (r != -EINVAL && r != -ENOMEM))
                        changes[i]->failure = f;
                else
                        (void) commit(store, &changes[i], 1, &changes[i]->failure);
}

/* On the writer's thread. */
static void process(Workqueue *queue, WorkList *batch, void *userdata) {
        Store *store = userdata;
        Change *changes[1024];

        while (!STAILQ_EMPTY(batch)) {
                WorkList done = STAILQ_HEAD_INITIALIZER(done);
                size_t n = 0;

                while (n < ELEMENTSOF(changes) && !STAILQ_EMPTY(batch)) {
                        changes[n++] = CONTAINER_OF(STAILQ_FIRST(batch), Change, work);
                        STAILQ_REMOVE_HEAD(batch, entry);
                }
                commit_all(store, changes, n);
                for (size_t i = 0; i < n; i++)
                        STAILQ_INSERT_TAIL(&done, &changes[i]->work, entry);
                workqueue_report_all(queue, &done);
        }
}

/* The log's index is mapped, and SQLite makes sure that each of its pages has a block before it is touched. That is
 * too little where blocks are smaller than pages: if the disk is full then, touching it is fatal. */
#define INDEX_PAGE 4096
#define INDEX_ROOM (UINT64_C(64) * 1024)

static int check_room(const char *directory, Failure *f) {
        struct statvfs fs;

        if (statvfs(directory, &fs) < 0)
                return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot look at %s: %m", directory);
        if (fs.f_frsize < INDEX_PAGE && fs.f_bavail * fs.f_frsize < INDEX_ROOM)
                return failure_set(
                        f, ERROR_STORE_FAILED, ENOSPC,
                        "Cannot open the inventory in %s: the disk is full, and its blocks are too small "
                        "to do without more room",
                        directory);
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

static void try_again(void *userdata);

static int start_clock(Store *store, Failure *f) {
        ClockRecord last;
        int r;

        r = database_get_clock(&store->database, &last, f);
        if (r < 0)
                return r;
        r = durable_clock_start(&store->clock, &last);
        return r < 0 ? failure_set(f, ERROR_STORE_FAILED, r, "Cannot read the boot ID: %s", strerror(-r)) : 0;
}

int store_open(sd_event *event, const char *directory, Store **ret, Failure *f) {
        _cleanup_free_ char *path = fs_join(directory, "inventory.db");
        _cleanup_(store_closep) Store *store = NULL;
        char kept[INSTALL_NAME_MAX];
        int r;

        store = calloc(1, sizeof *store);
        if (!store)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory");
        store->lock_fd = -1;
        store->event = sd_event_ref(event);
        if (!path)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory");

        store->lock_fd = install_lock(directory, f);
        if (store->lock_fd < 0)
                return store->lock_fd;
        r = install_finish(directory, kept, f);
        if (r < 0)
                return r;
        r = check_room(directory, f);
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
        r = start_clock(store, f);
        if (r < 0)
                return r;

        r = trouble_init(&store->trouble, event, try_again, store);
        if (r < 0)
                return failure_set(f, ERROR_STORE_FAILED, r, "Cannot make a timer: %s", strerror(-r));
        r = workqueue_new(event, "store", MAX_QUEUED, process, store, &store->writer);
        if (r < 0)
                return failure_set(f, ERROR_STORE_FAILED, r, "Cannot start the store's thread: %s", strerror(-r));

        store->path = TAKE_PTR(path);
        *ret = TAKE_PTR(store);
        return 0;
}

Store *store_close(Store *store) {
        if (!store)
                return NULL;

        workqueue_free(store->copier);
        workqueue_free(store->writer);
        trouble_done(&store->trouble);
        database_done(&store->database);
        if (store->lock_fd >= 0)
                close(store->lock_fd);
        sd_event_unref(store->event);
        free(store->path);
        free(store);
        return NULL;
}

int store_load(Store *store, const StoreLoader *loader, void *userdata, Failure *f) {
        Database *db = &store->database;
        int r = 0;

        if (loader->mgmtdev)
                r = database_list_mgmtdevs(db, loader->mgmtdev, userdata, f);
        if (r == 0 && loader->pool)
                r = database_list_pools(db, loader->pool, userdata, f);
        if (r == 0 && loader->device)
                r = database_list_devices(db, loader->device, userdata, f);
        if (r == 0 && loader->quarantine)
                r = database_list_quarantine(db, loader->quarantine, userdata, f);
        if (r == 0 && loader->receipt)
                r = database_list_receipts(db, loader->receipt, userdata, f);
        if (r == 0 && loader->tombstone)
                r = database_list_tombstones(db, loader->tombstone, userdata, f);

        /* Only now is it known that all of it is ours and whole. If the disk is full, the first change that it
         * takes reserves them. Intents without a record are left behind by devices that were made after a kill. */
        if (r == 0 && database_run(db, STATEMENT_PURGE_INTENTS, NULL) == 0)
                (void) commit(store, NULL, 0, NULL);
        return r;
}

uint64_t store_revision(const Store *store) {
        return store->revision;
}

const char *store_boot_id(const Store *store) {
        return store->boot_id;
}

const DurableClock *store_clock(const Store *store) {
        return &store->clock;
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

static int copy_receipt(const StoreReceipt *r, Change *change) {
        StoreReceipt copy = *r;
        const Text texts[] = {
                { r->key, &copy.key }, { r->request, &copy.request }, { r->name, &copy.name },
                { r->uid, &copy.uid }, { r->outcome, &copy.outcome }, { r->detail, &copy.detail },
        };

        if (copy_texts(texts, ELEMENTSOF(texts), &change->receipt_strings) < 0)
                return -ENOMEM;
        change->receipt = copy;
        return 0;
}

static int copy_tombstone(const StoreTombstone *t, Change *change) {
        StoreTombstone copy = *t;
        const Text texts[] = { { t->name, &copy.name }, { t->uid, &copy.uid } };

        if (copy_texts(texts, ELEMENTSOF(texts), &change->tombstone_strings) < 0)
                return -ENOMEM;
        change->tombstone = copy;
        return 0;
}

static int copy_notes(const StoreNotes *notes, Change *change) {
        if (notes && notes->receipt && copy_receipt(notes->receipt, change) < 0)
                return -ENOMEM;
        if (notes && notes->tombstone && copy_tombstone(notes->tombstone, change) < 0)
                return -ENOMEM;
        if (notes) {
                change->intended_revision = notes->intended_revision;
                change->settled_revision = notes->settled_revision;
        }
        return 0;
}

/* Queues a change whose strings are taken over, also on failure. */
static int submit(Store *store, const Change *template, const StoreNotes *notes) {
        Change *change;
        int r;

        change = malloc(sizeof *change);
        if (!change) {
                free(template->strings);
                return -ENOMEM;
        }

        *change = *template;
        change->store = store;
        if (copy_notes(notes, change) < 0) {
                change_free(change);
                return -ENOMEM;
        }
        change->work.done = on_change_done;
        r = notes && notes->can_wait ? workqueue_submit_patiently(store->writer, &change->work)
                                     : workqueue_submit(store->writer, &change->work);
        if (r < 0)
                change_free(change);
        return r;
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

        ret->asid_space = r->is_held ? device->mgmtdev->space->key : "";
        ret->asids = idlist_format(device_resources_asids(r), r->n_asids);
        ret->msis = idlist_format(device_resources_msis(r), r->n_msis);
        return ret->asids && ret->msis ? 0 : -ENOMEM;
}

/* Fills in what is written, of which the strings are copied. release: NULL if it holds on to what it holds. */
static int fill_change(Change *change, const Device *device, const SpecParts *spec, const StoreRelease *release) {
        _cleanup_(holdings_done) Holdings h = {};
        StoreRecord *record = &change->record;
        const char *unused[3];
        const char **held[] = { &record->asid_space, &record->asids, &record->msis };
        const char **released[] = { &change->release.asid_space, &change->release.asids, &change->release.msis };
        bool releases = release && device->resources.is_held;

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
                { spec->common, &record->spec.common },
                { spec->owner, &record->spec.owner },
                { spec->mac, &record->spec.mac },
                { spec->labels, &record->spec.labels },
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

int store_put_noted(Store *store, const Device *device, const StoreRelease *release, const StoreNotes *notes,
                    store_done_t done, void *userdata) {
        _cleanup_(split_spec_done) SplitSpec spec;
        uint64_t intended_revision = notes ? notes->intended_revision : 0;
        Change change = {
                .kind = CHANGE_PUT,
                .record = {
                        .revision = intended_revision > 0 ? intended_revision : device->revision,
                        .created_revision = device->created_revision,
                        .created_usec = device->created_usec,
                        .generation = device->generation,
                        .state = intended_revision > 0 ? DEVICE_READY : device->state,
                        .lease_usec = device->lease_usec,
                },
                .done = done,
                .userdata = userdata,
        };

        if (device_spec_split(&device->spec, &spec) < 0 || fill_change(&change, device, &spec.parts, release) < 0)
                return -ENOMEM;

        return submit(store, &change, notes);
}

int store_put_device(Store *store, const Device *device, store_done_t done, void *userdata) {
        return store_put_noted(store, device, NULL, NULL, done, userdata);
}

int store_remove_device(Store *store, const Device *device, uint64_t revision, const StoreRelease *release,
                        const StoreNotes *notes, store_done_t done, void *userdata) {
        static const SpecParts no_spec = { .common = "", .owner = "", .mac = "", .labels = "" };
        Change change = { .kind = CHANGE_REMOVE, .record.revision = revision, .done = done, .userdata = userdata };

        if (fill_change(&change, device, &no_spec, release) < 0)
                return -ENOMEM;
        return submit(store, &change, notes);
}

int store_put_mgmtdev(Store *store, const char *handle, const MgmtdevSettings *settings, uint64_t revision,
                      const StoreNotes *notes, store_done_t done, void *userdata) {
        _cleanup_json_ json_t *budgets = budget_settings_encode(settings->budgets);
        _cleanup_free_ char *overrides = json_text_of(json_incref(budgets)),
                            *labels = json_text_of(json_incref(settings->labels));
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
        return submit(store, &change, notes);
}

static int put_pool(Store *store, const StorePool *pool, uint64_t revision, store_done_t done, void *userdata) {
        Change change = { .kind = CHANGE_POOL, .record.revision = revision, .done = done, .userdata = userdata };
        const Text texts[] = {
                { pool->name, &change.pool.name },
                { pool->uid, &change.pool.uid },
                { pool->spec, &change.pool.spec },
        };

        if (copy_texts(texts, ELEMENTSOF(texts), &change.strings) < 0)
                return -ENOMEM;
        change.pool.created_usec = pool->created_usec;
        return submit(store, &change, NULL);
}

int store_put_pool(Store *store, const Pool *pool, store_done_t done, void *userdata) {
        _cleanup_free_ char *spec = json_text_of(pool_spec_encode(&pool->spec));
        const StorePool row = {
                .name = pool->name, .uid = pool->uid, .created_usec = pool->created_usec, .spec = spec
        };

        return spec ? put_pool(store, &row, pool->revision, done, userdata) : -ENOMEM;
}

int store_remove_pool(Store *store, const char *name, store_done_t done, void *userdata) {
        return put_pool(store, &(StorePool){ .name = name, .uid = "", .spec = "" }, 0, done, userdata);
}

int store_put_notes(Store *store, const StoreNotes *notes, store_done_t done, void *userdata) {
        Change change = { .kind = CHANGE_NOTES, .done = done, .userdata = userdata };

        return submit(store, &change, notes);
}

/* Queues a change that has nothing but a word. */
static int submit_word(Store *store, int kind, const char *word, store_done_t done, void *userdata) {
        Change change = { .kind = kind, .done = done, .userdata = userdata };

        change.strings = strdup(word);
        if (!change.strings)
                return -ENOMEM;
        change.record.name = change.strings;
        return submit(store, &change, NULL);
}

int store_put_boot_id(Store *store, const char *boot_id, store_done_t done, void *userdata) {
        return submit_word(store, CHANGE_BOOT_ID, boot_id, done, userdata);
}

int store_end_holder(Store *store, const char *holder, store_done_t done, void *userdata) {
        return submit_word(store, CHANGE_END_HOLDER, holder, done, userdata);
}

static void try_again(void *userdata) {
        Store *store = userdata;

        if (submit(store, &(Change){ .kind = CHANGE_NOTHING }, NULL) < 0)
                trouble_postpone(&store->trouble);
}

const StoreTrouble *store_trouble(const Store *store) {
        return store->trouble.is_on ? &store->trouble.now : NULL;
}

void store_watch(Store *store, store_watch_t watch, void *userdata) {
        store->trouble.watch = watch;
        store->trouble.watch_userdata = userdata;
}

Workqueue *store_writer(Store *store) {
        return store->writer;
}

bool store_drain(Store *store, uint64_t timeout_usec) {
        return workqueue_drain(store->writer, timeout_usec) &&
               (!store->copier || workqueue_drain(store->copier, timeout_usec));
}

/* At most this many at a time: each takes as much memory as the database. */
#define IMAGES_MAX 2

struct StoreImage {
        Work work;
        Store *store; /* weak */
        sqlite3 *db;  /* has the data */
        unsigned char *data;
        size_t size;
        Failure failure;
        store_backup_done_t done;
        void *userdata;
};

StoreImage *store_image_free(StoreImage *image) {
        image->store->n_images--;
        (void) sqlite3_close(image->db);
        free(image);
        return NULL;
}

const void *store_image_data(const StoreImage *image, size_t *ret_size) {
        *ret_size = image->size;
        return image->data;
}

static void on_image_done(Work *work) {
        StoreImage *image = CONTAINER_OF(work, StoreImage, work);

        if (image->failure.code == ERROR_NONE) {
                image->done(image->userdata, image, NULL);
                return;
        }
        image->done(image->userdata, NULL, &image->failure);
        store_image_free(image);
}

/* On the copier's thread. */
static void make_images(Workqueue *queue, WorkList *batch, void *userdata) {
        const Store *store = userdata;
        StoreImage *image;

        while (!STAILQ_EMPTY(batch)) {
                image = CONTAINER_OF(STAILQ_FIRST(batch), StoreImage, work);
                STAILQ_REMOVE_HEAD(batch, entry);
                (void) database_backup(store->path, &image->db, &image->data, &image->size, &image->failure);
                workqueue_report(queue, &image->work);
        }
}

int store_backup(Store *store, store_backup_done_t done, void *userdata) {
        StoreImage *image;
        int r;

        if (store->n_images == IMAGES_MAX)
                return -EAGAIN;
        if (!store->copier) {
                r = workqueue_new(store->event, "backup", IMAGES_MAX, make_images, store, &store->copier);
                if (r < 0)
                        return r;
        }
        image = calloc(1, sizeof *image);
        if (!image)
                return -ENOMEM;

        image->store = store;
        image->work.done = on_image_done;
        image->done = done;
        image->userdata = userdata;
        store->n_images++;
        r = workqueue_submit(store->copier, &image->work);
        if (r < 0)
                store_image_free(image);
        return r;
}
