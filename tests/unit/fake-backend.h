/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A backend whose host is a few tables, and which does what the test says: calls can be made to fail, to wait, and
 * are written down. Its functions run on the worker's thread; those below, all safe beside it, on the test's. */

#include "backend/backend.h"

typedef enum FakeCall {
        FAKE_GET_HOST,
        FAKE_LIST_MGMTDEVS,
        FAKE_LIST_DEVICES,
        FAKE_LIST_SRIOV,
        FAKE_CREATE,
        FAKE_ASSIGN,
        FAKE_BIND,
        FAKE_PUBLISH,
        FAKE_OBSERVE,
        FAKE_OBSERVE_ALL,
        FAKE_SET_MAC,
        FAKE_DESTROY,
        FAKE_SCRUB,
        FAKE_GET_STATS,
        _FAKE_CALL_MAX,
} FakeCall;

/* The management devices that are there at first: net devices with MAC, MTU and MQ, block devices, 9 virtqueues,
 * room for as many devices as one likes. */
#define FAKE_A "bus/a"
#define FAKE_B "bus/b"

Backend *fake_backend_new(void);

/* The next times calls of the kind fail, without effect. */
void fake_fail(Backend *b, FakeCall call, unsigned times, ErrorCode code, int error);

/* Calls of the kind wait from now on, until they are let go. */
void fake_hold(Backend *b, FakeCall call);
bool fake_is_held(Backend *b, FakeCall call);
void fake_let_go(Backend *b, FakeCall call);

/* What was done since the last time, "create a, bind a"; not the questions for lists. Good until the next call. */
const char *fake_take_calls(Backend *b);
unsigned fake_count_calls(Backend *b, FakeCall call);

void fake_set_available(Backend *b, bool available);

/* Adds the management device, or changes it. max_devices 0: no limit. */
void fake_plug(Backend *b, const char *handle, uint32_t max_devices);
void fake_unplug(Backend *b, const char *handle);

/* One that is there, to be changed while the worker is idle. */
MgmtdevInfo *fake_mgmtdev(Backend *b, const char *handle);

/* Adds a function with SR-IOV; there is none at first. */
void fake_add_sriov(Backend *b, const BackendSriov *sriov);

/* Changes the host behind the daemon's back. A device that is put there is of class net and has an endpoint. */
void fake_put_device(Backend *b, const char *name, const char *mgmtdev);
void fake_remove_device(Backend *b, const char *name);
void fake_remove_all_devices(Backend *b);
bool fake_has_device(Backend *b, const char *name);

/* Endpoints that come from now on may get another name, until they are settled, with the name that they keep. */
void fake_unsettle_endpoints(Backend *b);
void fake_settle(Backend *b, const char *name, const char *endpoint);

/* The device as it is there, to be looked at, or changed while the worker is idle. It must be there. */
typedef struct FakeDevice {
        bool there;
        bool in_use;
        bool unlisted; /* a listing misses it */
        bool is_made;  /* by the backend, or published */
        char name[DEVICE_NAME_MAX];
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status;
        EndpointSpec owner;              /* as published */
        uint16_t n_asids, n_vqs, n_msis; /* as assigned, and the first of each */
        uint32_t asid, msi;
} FakeDevice;

FakeDevice *fake_device(Backend *b, const char *name);
