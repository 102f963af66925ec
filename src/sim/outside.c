/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/outside.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Hints that wait for the loop; past this, the hint is that anything may have changed. */
#define HINTS_MAX 256

struct Outside {
        struct sockaddr_un address;
        int fd;
        int stop_fd; /* to the thread: end */
        int hint_fd; /* to the loop: there are hints */
        pthread_t thread;
        bool has_thread;
        outside_command_t command;
        void *userdata;

        sd_event_source *source;
        const BackendWatcher *watcher; /* weak; the loop's own */

        pthread_mutex_t lock; /* of all below */
        bool is_watched;
        bool has_overflown;
        size_t n_hints;
        char hints[HINTS_MAX][DEVICE_NAME_MAX];
};

static void add_hint(Outside *o, const char *name) {
        pthread_mutex_lock(&o->lock);
        if (o->n_hints < HINTS_MAX)
                strcpy(o->hints[o->n_hints++], name);
        else
                o->has_overflown = true;
        if (o->is_watched)
                (void) eventfd_write(o->hint_fd, 1);
        pthread_mutex_unlock(&o->lock);
}

static void serve_one(Outside *o) {
        char text[OUTSIDE_TEXT_MAX], answer[OUTSIDE_TEXT_MAX] = "", hint[DEVICE_NAME_MAX] = "";
        struct sockaddr_un from;
        socklen_t size = sizeof from;
        ssize_t n;

        n = recvfrom(o->fd, text, sizeof text - 1, 0, (struct sockaddr *) &from, &size);
        if (n < 0)
                return;
        text[n] = '\0';
        o->command(o->userdata, text, answer, hint);
        if (hint[0])
                add_hint(o, hint);
        if (size > sizeof(sa_family_t))
                (void) sendto(o->fd, answer, strlen(answer), MSG_DONTWAIT, (struct sockaddr *) &from, size);
}

static void *outside_thread(void *userdata) {
        Outside *o = userdata;
        struct pollfd fds[] = { { .fd = o->stop_fd, .events = POLLIN }, { .fd = o->fd, .events = POLLIN } };

        for (;;) {
                if (poll(fds, ELEMENTSOF(fds), -1) < 0)
                        continue;
                if (fds[0].revents)
                        return NULL;
                serve_one(o);
        }
}

/* Nobody else has the socket: who has the model's file has the whole simulated host. */
static int open_socket(Outside *o) {
        o->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (o->fd < 0)
                return -errno;

        (void) unlink(o->address.sun_path);
        if (bind(o->fd, (struct sockaddr *) &o->address, sizeof o->address) < 0 ||
            chmod(o->address.sun_path, 0600) < 0)
                return -errno;
        return 0;
}

/* Signals are the loop's: the thread is born with all of them blocked. */
static int start_thread(Outside *o) {
        sigset_t all, saved;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &saved);
        r = pthread_create(&o->thread, NULL, outside_thread, o);
        pthread_sigmask(SIG_SETMASK, &saved, NULL);
        if (r != 0)
                return -r;

        o->has_thread = true;
        (void) pthread_setname_np(o->thread, "outside");
        return 0;
}

int outside_new(const char *runtime_dir, outside_command_t command, void *userdata, Outside **ret) {
        _cleanup_(outside_freep) Outside *o = NULL;
        int n, r;

        o = calloc(1, sizeof *o);
        if (!o)
                return -ENOMEM;

        o->fd = o->stop_fd = o->hint_fd = -1;
        o->command = command;
        o->userdata = userdata;
        (void) pthread_mutex_init(&o->lock, NULL);
        o->address.sun_family = AF_UNIX;
        n = snprintf(o->address.sun_path, sizeof o->address.sun_path, "%s/%s", runtime_dir, OUTSIDE_SOCKET);
        if ((size_t) n >= sizeof o->address.sun_path)
                return -ENAMETOOLONG;

        o->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        o->hint_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (o->stop_fd < 0 || o->hint_fd < 0)
                return -errno;
        r = open_socket(o);
        if (r >= 0)
                r = start_thread(o);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(o);
        return 0;
}

Outside *outside_free(Outside *o) {
        if (!o)
                return NULL;

        outside_unwatch(o);
        if (o->has_thread) {
                (void) eventfd_write(o->stop_fd, 1);
                (void) pthread_join(o->thread, NULL);
                (void) unlink(o->address.sun_path);
        }
        closep(&o->fd);
        closep(&o->stop_fd);
        closep(&o->hint_fd);
        (void) pthread_mutex_destroy(&o->lock);
        free(o);
        return NULL;
}

static void tell(const BackendWatcher *watcher, const char *name) {
        const BackendHint hint = { .name = name, .event_count = BACKEND_EVENT_UNKNOWN };

        watcher->hint(watcher->userdata, &hint);
}

/* Takes the hints from under the lock first: who is told may take its time. */
static int on_hints(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        char hints[HINTS_MAX][DEVICE_NAME_MAX];
        Outside *o = userdata;
        bool has_overflown;
        eventfd_t value;
        size_t n;

        (void) eventfd_read(fd, &value);
        pthread_mutex_lock(&o->lock);
        n = o->n_hints;
        has_overflown = o->has_overflown;
        memcpy(hints, o->hints, n * sizeof hints[0]);
        o->n_hints = 0;
        o->has_overflown = false;
        pthread_mutex_unlock(&o->lock);

        for (size_t i = 0; i < n; i++)
                tell(o->watcher, strcmp(hints[i], "*") == 0 ? NULL : hints[i]);
        if (has_overflown)
                tell(o->watcher, NULL);
        return 0;
}

int outside_watch(Outside *o, sd_event *event, const BackendWatcher *watcher) {
        int r;

        r = sd_event_add_io(event, &o->source, o->hint_fd, POLLIN, on_hints, o);
        if (r < 0)
                return r;
        o->watcher = watcher;
        pthread_mutex_lock(&o->lock);
        o->is_watched = true;
        if (o->n_hints > 0)
                (void) eventfd_write(o->hint_fd, 1);
        pthread_mutex_unlock(&o->lock);
        return 0;
}

void outside_unwatch(Outside *o) {
        o->source = sd_event_source_disable_unref(o->source);
        pthread_mutex_lock(&o->lock);
        o->is_watched = false;
        pthread_mutex_unlock(&o->lock);
}
