/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/maker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "kernel/vdpa-netlink.h"
#include "kernel/vdpa-uapi.h"

typedef struct Order {
        /* Borrowed. */
        const char *name, *mgmtdev;
        const DeviceSpec *spec;

        bool ask_config;
        int r;
        Failure failure;
        MakerResult result;
} Order;

/* The counts only grow; an order is the worker's before it is begun and when it is made, and the thread's in
 * between. */
struct Maker {
        GenlSocket *netlink; /* the thread's */
        Order orders[MAKER_AHEAD_MAX];
        unsigned n_finished; /* the worker's */
        bool has_thread;
        pthread_t thread;

        pthread_mutex_t lock;
        pthread_cond_t is_begun, is_made; /* what the thread waits for, and what the worker does */
        unsigned n_begun, n_made;         /* under lock; n_begun is changed by the worker only */
        bool is_awaited, stop;            /* under lock */
};

static Order *order_at(Maker *m, unsigned n) {
        return &m->orders[n % MAKER_AHEAD_MAX];
}

static void make(GenlSocket *netlink, Order *o) {
        Failure ignored;

        o->result = (MakerResult){};
        o->failure = FAILURE_INIT;
        o->r = vdpa_netlink_create(netlink, o->name, o->mgmtdev, o->spec, &o->result.refused, &o->failure);
        if (o->r < 0 || !o->ask_config)
                return;
        o->result.has_config = vdpa_netlink_get_config(netlink, o->name, &o->result.config, &ignored) >= 0;
}

/* NULL: there shall be no more. */
static Order *await_order(Maker *m) {
        Order *o;

        pthread_mutex_lock(&m->lock);
        while (m->n_made == m->n_begun && !m->stop)
                pthread_cond_wait(&m->is_begun, &m->lock);
        o = m->n_made == m->n_begun ? NULL : order_at(m, m->n_made);
        pthread_mutex_unlock(&m->lock);
        return o;
}

/* Who is woken up would only wait for the lock if that were held. */
static void *maker_thread(void *userdata) {
        Maker *m = userdata;
        bool is_awaited;
        Order *o;

        while ((o = await_order(m))) {
                make(m->netlink, o);
                pthread_mutex_lock(&m->lock);
                m->n_made++;
                is_awaited = m->is_awaited;
                pthread_mutex_unlock(&m->lock);
                if (is_awaited)
                        pthread_cond_signal(&m->is_made);
        }
        return NULL;
}

int maker_new(Maker **ret) {
        Maker *m = calloc(1, sizeof *m);
        int r;

        if (!m)
                return -ENOMEM;
        r = genl_socket_new(VDPA_FAMILY, &m->netlink);
        if (r < 0) {
                free(m);
                return r;
        }
        pthread_mutex_init(&m->lock, NULL);
        pthread_cond_init(&m->is_begun, NULL);
        pthread_cond_init(&m->is_made, NULL);

        *ret = m;
        return 0;
}

Maker *maker_free(Maker *m) {
        if (!m)
                return NULL;

        assert(m->n_finished == m->n_begun);
        if (m->has_thread) {
                pthread_mutex_lock(&m->lock);
                m->stop = true;
                pthread_cond_signal(&m->is_begun);
                pthread_mutex_unlock(&m->lock);
                pthread_join(m->thread, NULL);
        }
        pthread_cond_destroy(&m->is_made);
        pthread_cond_destroy(&m->is_begun);
        pthread_mutex_destroy(&m->lock);
        genl_socket_free(m->netlink);
        free(m);
        return NULL;
}

/* With all signals blocked, as its parent has them. */
static bool start_thread(Maker *m) {
        m->has_thread = pthread_create(&m->thread, NULL, maker_thread, m) == 0;
        if (m->has_thread)
                (void) pthread_setname_np(m->thread, "backend-maker");
        return m->has_thread;
}

bool maker_is_ready(Maker *m) {
        return m->n_begun - m->n_finished < MAKER_AHEAD_MAX && (m->has_thread || start_thread(m));
}

void maker_begin(Maker *m, const char *name, const char *mgmtdev, const DeviceSpec *spec, bool ask_config) {
        Order *o = order_at(m, m->n_begun);

        assert(m->n_begun - m->n_finished < MAKER_AHEAD_MAX);
        o->name = name;
        o->mgmtdev = mgmtdev;
        o->spec = spec;
        o->ask_config = ask_config;
        pthread_mutex_lock(&m->lock);
        m->n_begun++;
        pthread_mutex_unlock(&m->lock);
        pthread_cond_signal(&m->is_begun);
}

bool maker_is_next(Maker *m, const char *name) {
        return m->n_finished != m->n_begun && strcmp(order_at(m, m->n_finished)->name, name) == 0;
}

int maker_finish(Maker *m, MakerResult *ret, Failure *f) {
        const Order *o = order_at(m, m->n_finished);

        assert(m->n_finished != m->n_begun);
        pthread_mutex_lock(&m->lock);
        m->is_awaited = true;
        while (m->n_made == m->n_finished)
                pthread_cond_wait(&m->is_made, &m->lock);
        m->is_awaited = false;
        pthread_mutex_unlock(&m->lock);

        m->n_finished++;
        *ret = o->result;
        if (o->r < 0)
                *f = o->failure;
        return o->r;
}

int maker_command(Maker *m) {
        bool is_awaited;

        pthread_mutex_lock(&m->lock);
        is_awaited = m->is_awaited;
        pthread_mutex_unlock(&m->lock);
        return is_awaited ? genl_socket_command(m->netlink) : -1;
}
