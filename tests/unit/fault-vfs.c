/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault-vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "unit.h"

/* What was written since the last sync. data NULL: the file was cut, or grown, to offset. */
typedef struct Pending {
        STAILQ_ENTRY(Pending) entry;
        int64_t offset;
        size_t size;
        bool is_lost; /* a sync of it has failed */
        char data[];
} Pending;

typedef struct Image {
        LIST_ENTRY(Image) entry;
        char path[512];
        char *durable;
        size_t size;
        STAILQ_HEAD(, Pending) pending;
} Image;

typedef struct FaultFile {
        sqlite3_file base;
        Image *image; /* NULL: of no interest */
        sqlite3_file *real;
} FaultFile;

typedef enum Step { STEP_OPEN, STEP_WRITE, STEP_SYNC, STEP_TRUNCATE, STEP_GROW } Step;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, Image) images = LIST_HEAD_INITIALIZER(images);
static sqlite3_vfs *real_vfs, fault_vfs;
static uint64_t n_steps, fail_at;
static FaultKind fail_kind;
static bool is_lasting, has_failed;

const char *fault_words(FaultKind kind) {
        static const char *const words[_FAULT_KIND_MAX] = {
                [FAULT_FULL] = "the disk is full",
                [FAULT_READ_ONLY] = "the file system is read-only",
                [FAULT_IO] = "I/O error",
                [FAULT_SHORT] = "the disk is full",
        };

        return words[kind];
}

static int code_of(Step step, FaultKind kind) {
        static const int codes[] = {
                [STEP_OPEN] = SQLITE_CANTOPEN,      [STEP_WRITE] = SQLITE_IOERR_WRITE,
                [STEP_SYNC] = SQLITE_IOERR_FSYNC,   [STEP_TRUNCATE] = SQLITE_IOERR_TRUNCATE,
                [STEP_GROW] = SQLITE_IOERR_SHMSIZE,
        };

        return step == STEP_WRITE && (kind == FAULT_FULL || kind == FAULT_SHORT) ? SQLITE_FULL : codes[step];
}

/* Counts the step. Returns SQLITE_OK, or how it fails, with errno as the kernel would have it. */
static int take_step(Step step, FaultKind *ret_kind) {
        static const int errors[_FAULT_KIND_MAX] = { ENOSPC, EROFS, EIO, ENOSPC };
        int rc = SQLITE_OK;

        pthread_mutex_lock(&lock);
        n_steps++;
        if (fail_at > 0 && (n_steps == fail_at || (is_lasting && n_steps > fail_at))) {
                has_failed = true;
                *ret_kind = fail_kind;
                rc = code_of(step, fail_kind);
                errno = errors[fail_kind];
        }
        pthread_mutex_unlock(&lock);
        return rc;
}

static void image_clear_pending(Image *image) {
        Pending *p;

        while ((p = STAILQ_FIRST(&image->pending))) {
                STAILQ_REMOVE_HEAD(&image->pending, entry);
                free(p);
        }
}

static Image *image_free(Image *image) {
        LIST_REMOVE(image, entry);
        image_clear_pending(image);
        free(image->durable);
        free(image);
        return NULL;
}

static Image *image_find(const char *path) {
        Image *image;

        LIST_FOREACH(image, &images, entry)
                if (strcmp(image->path, path) == 0)
                        return image;

        return NULL;
}

/* What is in the file when it is first seen is durable. */
static Image *image_get(const char *path) {
        Image *image;

        pthread_mutex_lock(&lock);
        image = image_find(path);
        if (!image) {
                FILE *file = fopen(path, "r");

                if (file)
                        fclose(file);
                image = calloc(1, sizeof *image);
                (void) snprintf(image->path, sizeof image->path, "%s", path);
                STAILQ_INIT(&image->pending);
                image->durable = file ? unit_read_file(path, &image->size) : NULL;
                LIST_INSERT_HEAD(&images, image, entry);
        }
        pthread_mutex_unlock(&lock);
        return image;
}

/* Bytes of p from its beginning reach the disk. */
static void apply(char **content, size_t *size, const Pending *p, size_t n) {
        size_t end = (size_t) p->offset + n;

        if (p->size == 0 || end > *size) {
                *content = realloc(*content, end + 1);
                if (end > *size)
                        memset(*content + *size, 0, end - *size);
                *size = end;
        }
        memcpy(*content + p->offset, p->data, n);
}

static void note(Image *image, int64_t offset, const void *data, size_t size) {
        Pending *p;

        if (!image)
                return;
        p = calloc(1, sizeof *p + size);
        p->offset = offset;
        p->size = size;
        if (size > 0)
                memcpy(p->data, data, size);
        pthread_mutex_lock(&lock);
        STAILQ_INSERT_TAIL(&image->pending, p, entry);
        pthread_mutex_unlock(&lock);
}

/* What is written later at the same place takes the place of what was lost. */
static bool is_overwritten(const Pending *p) {
        for (const Pending *q = STAILQ_NEXT(p, entry); q; q = STAILQ_NEXT(q, entry))
                if (q->offset < p->offset + (int64_t) p->size && p->offset < q->offset + (int64_t) q->size)
                        return true;

        return p->size == 0;
}

static void make_durable(Image *image) {
        Pending *p, *next;

        STAILQ_FOREACH(p, &image->pending, entry)
                if (!p->is_lost)
                        apply(&image->durable, &image->size, p, p->size);
        for (p = STAILQ_FIRST(&image->pending); p; p = next) {
                next = STAILQ_NEXT(p, entry);
                if (p->is_lost && !is_overwritten(p))
                        continue;
                STAILQ_REMOVE(&image->pending, p, Pending, entry);
                free(p);
        }
}

static void synced(Image *image, bool works) {
        Pending *p;

        pthread_mutex_lock(&lock);
        if (works)
                make_durable(image);
        else
                STAILQ_FOREACH(p, &image->pending, entry)
                        p->is_lost = true;
        pthread_mutex_unlock(&lock);
}

#define REAL(file) (((FaultFile *) (void *) (file))->real)

static int on_close(sqlite3_file *file) {
        return REAL(file)->pMethods->xClose(REAL(file));
}

static int on_read(sqlite3_file *file, void *data, int n, sqlite3_int64 offset) {
        return REAL(file)->pMethods->xRead(REAL(file), data, n, offset);
}

static int on_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 offset) {
        FaultFile *f = (FaultFile *) (void *) file;
        FaultKind kind;
        int rc = take_step(STEP_WRITE, &kind);

        if (rc != SQLITE_OK) {
                int error = errno;

                if (kind == FAULT_SHORT && f->real->pMethods->xWrite(f->real, data, n / 2, offset) == SQLITE_OK)
                        note(f->image, offset, data, (size_t) n / 2);
                errno = error;
                return rc;
        }
        rc = f->real->pMethods->xWrite(f->real, data, n, offset);
        if (rc == SQLITE_OK)
                note(f->image, offset, data, (size_t) n);
        return rc;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size) {
        FaultFile *f = (FaultFile *) (void *) file;
        FaultKind kind;
        int rc = take_step(STEP_TRUNCATE, &kind);

        if (rc == SQLITE_OK)
                rc = f->real->pMethods->xTruncate(f->real, size);
        if (rc == SQLITE_OK)
                note(f->image, size, NULL, 0);
        return rc;
}

static int on_sync(sqlite3_file *file, int flags) {
        FaultFile *f = (FaultFile *) (void *) file;
        FaultKind kind;
        int rc = take_step(STEP_SYNC, &kind);

        if (f->image)
                synced(f->image, rc == SQLITE_OK);
        return rc;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *ret) {
        return REAL(file)->pMethods->xFileSize(REAL(file), ret);
}

static int on_lock(sqlite3_file *file, int level) {
        return REAL(file)->pMethods->xLock(REAL(file), level);
}

static int on_unlock(sqlite3_file *file, int level) {
        return REAL(file)->pMethods->xUnlock(REAL(file), level);
}

static int on_check_reserved_lock(sqlite3_file *file, int *ret) {
        return REAL(file)->pMethods->xCheckReservedLock(REAL(file), ret);
}

static int on_file_control(sqlite3_file *file, int op, void *argument) {
        return REAL(file)->pMethods->xFileControl(REAL(file), op, argument);
}

static int on_sector_size(sqlite3_file *file) {
        return REAL(file)->pMethods->xSectorSize(REAL(file));
}

static int on_device_characteristics(sqlite3_file *file) {
        return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret) {
        FaultKind kind;
        int rc = extend ? take_step(STEP_GROW, &kind) : SQLITE_OK;

        return rc == SQLITE_OK ? REAL(file)->pMethods->xShmMap(REAL(file), page, size, extend, ret) : rc;
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
        return REAL(file)->pMethods->xShmLock(REAL(file), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file) {
        REAL(file)->pMethods->xShmBarrier(REAL(file));
}

static int on_shm_unmap(sqlite3_file *file, int delete) {
        return REAL(file)->pMethods->xShmUnmap(REAL(file), delete);
}

static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = on_close,
        .xRead = on_read,
        .xWrite = on_write,
        .xTruncate = on_truncate,
        .xSync = on_sync,
        .xFileSize = on_file_size,
        .xLock = on_lock,
        .xUnlock = on_unlock,
        .xCheckReservedLock = on_check_reserved_lock,
        .xFileControl = on_file_control,
        .xSectorSize = on_sector_size,
        .xDeviceCharacteristics = on_device_characteristics,
        .xShmMap = on_shm_map,
        .xShmLock = on_shm_lock,
        .xShmBarrier = on_shm_barrier,
        .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret_flags) {
        FaultFile *f = (FaultFile *) (void *) file;
        FaultKind kind;
        int rc;

        f->base.pMethods = NULL;
        f->real = (sqlite3_file *) (void *) (f + 1);
        rc = take_step(STEP_OPEN, &kind);
        if (rc != SQLITE_OK)
                return rc;
        f->image = path && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL) ? image_get(path) : NULL;
        rc = real_vfs->xOpen(real_vfs, path, f->real, flags, ret_flags);
        if (rc == SQLITE_OK)
                f->base.pMethods = &methods;
        return rc;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int sync_directory) {
        Image *image;

        pthread_mutex_lock(&lock);
        image = image_find(path);
        if (image)
                image_free(image);
        pthread_mutex_unlock(&lock);
        return real_vfs->xDelete(real_vfs, path, 0);
}

void fault_vfs_install(void) {
        real_vfs = sqlite3_vfs_find(NULL);
        ck_assert_ptr_nonnull(real_vfs);
        fault_vfs = *real_vfs;
        fault_vfs.zName = "fault";
        fault_vfs.pNext = NULL;
        fault_vfs.szOsFile = (int) sizeof(FaultFile) + real_vfs->szOsFile;
        fault_vfs.xOpen = on_open;
        fault_vfs.xDelete = on_delete;
        ck_assert_int_eq(sqlite3_vfs_register(&fault_vfs, 1), SQLITE_OK);
}

void fault_vfs_reset(void) {
        while (!LIST_EMPTY(&images))
                image_free(LIST_FIRST(&images));
        n_steps = 0;
        fault_vfs_heal();
}

void fault_vfs_fail(uint64_t n, FaultKind kind, bool lasting) {
        pthread_mutex_lock(&lock);
        fail_at = n_steps + n;
        fail_kind = kind;
        is_lasting = lasting;
        has_failed = false;
        pthread_mutex_unlock(&lock);
}

void fault_vfs_heal(void) {
        pthread_mutex_lock(&lock);
        fail_at = 0;
        has_failed = false;
        pthread_mutex_unlock(&lock);
}

bool fault_vfs_has_failed(void) {
        bool result;

        pthread_mutex_lock(&lock);
        result = has_failed;
        pthread_mutex_unlock(&lock);
        return result;
}

uint64_t fault_vfs_count(void) {
        uint64_t result;

        pthread_mutex_lock(&lock);
        result = n_steps;
        pthread_mutex_unlock(&lock);
        return result;
}

static void lose_power(const Image *image, const char *to, FaultSurvival survival) {
        size_t size = image->size;
        char *content = malloc(size + 1), path[1024];
        const Pending *p;

        if (size > 0)
                memcpy(content, image->durable, size);
        STAILQ_FOREACH(p, &image->pending, entry) {
                if (survival == SURVIVES_ALL)
                        apply(&content, &size, p, p->size);
                else if (survival == SURVIVES_SOME && unit_random(2) > 0)
                        apply(&content, &size, p,
                              p->size > 0 && unit_random(2) > 0 ? 1 + unit_random((uint32_t) p->size) : p->size);
        }
        (void) snprintf(path, sizeof path, "%s/%s", to, strrchr(image->path, '/') + 1);
        unit_write_file(path, content, size);
        free(content);
}

void fault_vfs_lose_power(const char *to, FaultSurvival survival) {
        const Image *image;

        pthread_mutex_lock(&lock);
        LIST_FOREACH(image, &images, entry)
                lose_power(image, to, survival);
        pthread_mutex_unlock(&lock);
}
