/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A lifecycle with all that it needs: the store in the test's directory, and a fake host, which outlives it, so
 * that it can be started again. */

#include "fake-backend.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/pool.h"

typedef struct Rig {
        sd_event *event;
        Inventory inventory;
        Store *store;
        Backend *backend;
        Lifecycle *lifecycle;
        bool started; /* the lifecycle has said so */
        size_t max_devices, max_operations;
        uint64_t quarantine_usec, boot_patience_usec;
} Rig;

extern Rig rig;

/* Fixtures: the fake host, with nothing started; and what is left of it all. */
void rig_set_up(void);
void rig_tear_down(void);

/* Starts, and waits until that is through, however it ended. */
void rig_start(void);

/* The same, without waiting. */
void rig_begin_start(void);

/* Stops, which must work, and lets go of all but the fake host. */
void rig_stop(void);

/* What a verb has answered: a copy of what outlives the call. */
typedef struct Answer {
        unsigned n; /* how many times: at most once is right */
        Failure failure;
        size_t n_faults;
        JsonFault fault; /* the first */
        bool created;
        bool has_device;
        char name[DEVICE_NAME_MAX], uid[UID_TEXT_MAX], mgmtdev[HANDLE_MAX];
        DeviceState state;
        uint64_t revision;
        uint32_t generation;
        size_t n_stats;
        BackendStat stats[4];
} Answer;

void rig_on_answer(void *userdata, const Outcome *outcome);

/* Runs the loop until there is an answer. */
void rig_wait(Answer *answer);

/* Runs the loop until a call of the kind waits at the fake host; until all operations are over. */
void rig_wait_held(FakeCall call);
void rig_wait_idle(void);

/* Makes a pool of net devices called "p", and waits until so many (high) are free. */
void rig_make_pool(uint32_t low, uint32_t high, PoolReturn on_return);

/* Devices of the pool that can be claimed, or are on their way to that. */
size_t rig_count_free(void);

/* A decoded spec, which must be right. */
DeviceSpec rig_spec(const char *json);

#define RIG_NET "{\"class\":\"net\"}"

/* The verbs, without waiting; spec is JSON. */
void rig_begin_create(const char *name, const char *spec, Answer *answer);
void rig_begin_delete(const char *name, Answer *answer);

/* The verbs, with waiting for the answer. */
Answer rig_create(const char *name, const char *spec);
Answer rig_delete(const char *name);

/* The same for what must work. */
Answer rig_create_good(const char *name, const char *spec);

/* Asks for a management device that is not there: the host is looked at again for that. */
void rig_look(void);

/* As if so much time had passed that a verb may ask for a look again. */
void rig_pass_time(void);

/* The device in the inventory, which must be there. */
Device *rig_device(const char *name);

/* While nothing is started: writes a record of a device, or the boot; reads the state that is recorded ("" if there
 * is no record; good until the next call). */
void rig_record(const char *name, const char *mgmtdev, const char *spec, DeviceState state, const Failure *reason);
void rig_record_boot(const char *boot_id);
const char *rig_recorded(const char *name);

/* Fails unless the answer has the code; ERROR_NONE: it worked. */
#define rig_assert_code(answer, expected)                                                                          \
        ck_assert_msg((answer).n == 1 && (answer).failure.code == (expected), "%u answers, %s: %s", (answer).n,    \
                      (answer).failure.code == ERROR_NONE ? "ok" : error_info((answer).failure.code)->code,        \
                      (answer).failure.detail)
