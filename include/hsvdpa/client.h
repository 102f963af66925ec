/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HSVDPA_CLIENT_H
#define HSVDPA_CLIENT_H

/* libhsvdpa: asks hsvdpad, the daemon that owns the vDPA devices of this host, over its REST interface.
 *
 *         HsvClient *client;
 *         HsvDocument *device;
 *
 *         if (hsv_client_new(NULL, &client) < 0)
 *                 return;
 *         if (hsv_device_create(client, "vm1", "{\"class\": \"net\"}", &device, NULL) == 0) {
 *                 puts(hsv_document_text(device));
 *                 hsv_document_free(device);
 *         } else
 *                 fputs(hsv_error_detail(hsv_client_last_error(client)), stderr);
 *         hsv_client_free(client);
 *
 * Every call waits for its answer. Calls that return int return
 *         0              it worked;
 *         HSV_REFUSED    the daemon answered that it did not: hsv_client_last_error() says why;
 *         negative errno there is no answer that could be used: see "Errors" below.
 * What a call gives back through a pointer is set only if it returns 0, and belongs to the caller. Strings
 * are UTF-8.
 *
 * A client is used by one thread at a time; different clients do not disturb each other. Nothing is sent
 * twice: a request that broke off is for the caller to repeat, who knows whether that is right.
 * hsv_device_create() with a name may always be repeated. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HSV_PUBLIC __attribute__((visibility("default")))
#else
#define HSV_PUBLIC
#endif

typedef struct HsvClient HsvClient;
typedef struct HsvDocument HsvDocument;
typedef struct HsvError HsvError;
typedef struct HsvList HsvList;
typedef struct HsvValue HsvValue;

#define HSV_REFUSED 1

/* Where the daemon listens if nothing else is said. */
#define HSV_DEFAULT_URL "unix:/run/hsvdpa/api.sock"

/* --- The client ---------------------------------------------------------------------------------------- */

/* Makes a client; nothing is sent yet. url: "unix:/PATH" or "http://HOST[:PORT]"; NULL: what the
 * environment variable HSVDPA_URL says, else HSV_DEFAULT_URL. Proxies of the environment are not used.
 * Returns 0, -EINVAL (not such a URL), -ENAMETOOLONG (the path is too long for a socket), -EPROTONOSUPPORT
 * (a scheme that is not known), or -ENOMEM. */
HSV_PUBLIC int hsv_client_new(const char *url, HsvClient **ret);

/* Accepts NULL, as all that free do; returns NULL. Documents outlive the client they came from. */
HSV_PUBLIC HsvClient *hsv_client_free(HsvClient *client);

/* The URL in use; belongs to the client. */
HSV_PUBLIC const char *hsv_client_get_url(const HsvClient *client);

/* In milliseconds, at least 1: how long to try to connect (5000), and how long a call may take in all
 * (60000; the making of a device waits for the kernel). Returns 0 or -EINVAL. */
HSV_PUBLIC int hsv_client_set_timeouts(HsvClient *client, unsigned connect_ms, unsigned total_ms);

/* The largest answer that is read, in bytes, at least 1 (64 MiB). Returns 0 or -EINVAL. */
HSV_PUBLIC int hsv_client_set_max_answer(HsvClient *client, size_t bytes);

/* --- Errors ---------------------------------------------------------------------------------------------
 *
 * Negative errno values that a caller may want to know apart:
 *         -EINVAL        an argument cannot be right; nothing was sent
 *         -ENOENT, -ECONNREFUSED, -EACCES, ...  of connect(2): the daemon does not run, or not for us
 *         -EHOSTUNREACH  the URL's host name is not known
 *         -ETIMEDOUT     no connection or no answer in time
 *         -ECONNRESET    the connection broke off
 *         -EMSGSIZE      the answer is over hsv_client_set_max_answer()
 *         -EBADMSG       the answer is not what hsvdpad sends
 *         -ENOMEM        out of memory */

/* About the last call with this client that failed. Never NULL; belongs to the client, until its next
 * call. */
HSV_PUBLIC const HsvError *hsv_client_last_error(const HsvClient *client);

/* HTTP status of the answer; 0 if there was none. */
HSV_PUBLIC unsigned hsv_error_http_status(const HsvError *error);

/* The daemon's stable code, such as "device-not-found", which programs may compare; "" if there is none. */
HSV_PUBLIC const char *hsv_error_code(const HsvError *error);

/* A sentence for the user: what failed. Never NULL. */
HSV_PUBLIC const char *hsv_error_detail(const HsvError *error);

/* False if it is certain that the daemon has not got the request. True with a negative return value means:
 * whether the daemon did what was asked is not known. */
HSV_PUBLIC bool hsv_error_was_sent(const HsvError *error);

/* What is wrong with the request, part by part: JSON pointer into the body, code, sentence. i counts from
 * 0. Never NULL; "" for what there is not. */
HSV_PUBLIC size_t hsv_error_count_faults(const HsvError *error);
HSV_PUBLIC const char *hsv_error_fault_pointer(const HsvError *error, size_t i);
HSV_PUBLIC const char *hsv_error_fault_code(const HsvError *error, size_t i);
HSV_PUBLIC const char *hsv_error_fault_detail(const HsvError *error, size_t i);

/* All that the daemon said: its problem document (RFC 9457), with members that only some problems have. NULL if
 * there is none; belongs to the client, until its next call. */
HSV_PUBLIC const HsvValue *hsv_error_problem(const HsvError *error);

/* --- Answers --------------------------------------------------------------------------------------------
 *
 * An answer is a JSON document, with the members that the API's description (GET /openapi.yaml) names: to
 * be handed on as text, or to be looked into. Values belong to their document. All of these accept a NULL
 * value, which is one that is not there, so that calls can be put into each other. */

HSV_PUBLIC HsvDocument *hsv_document_free(HsvDocument *document);

/* The JSON text as the daemon sent it; belongs to the document. */
HSV_PUBLIC const char *hsv_document_text(const HsvDocument *document);

HSV_PUBLIC const HsvValue *hsv_document_root(const HsvDocument *document);

typedef enum HsvKind {
        HSV_KIND_ABSENT,
        HSV_KIND_NULL,
        HSV_KIND_BOOL,
        HSV_KIND_INTEGER,
        HSV_KIND_REAL,
        HSV_KIND_STRING,
        HSV_KIND_ARRAY,
        HSV_KIND_OBJECT
} HsvKind;

HSV_PUBLIC HsvKind hsv_value_kind(const HsvValue *value);

/* The value at a JSON pointer (RFC 6901) such as "/status/state", from value on; "" is value itself. NULL
 * if there is nothing. */
HSV_PUBLIC const HsvValue *hsv_value_get(const HsvValue *value, const char *pointer);

/* Elements of an array, members of an object, in the document's order; 0 and NULL for all else, and past
 * the end. To step through an object's members takes time that grows with their number's square. */
HSV_PUBLIC size_t hsv_value_count(const HsvValue *value);
HSV_PUBLIC const HsvValue *hsv_value_at(const HsvValue *value, size_t i);
HSV_PUBLIC const char *hsv_value_key(const HsvValue *value, size_t i);

/* NULL if it is not a string. */
HSV_PUBLIC const char *hsv_value_string(const HsvValue *value);

/* Returns 0, -ENOENT if there is no value, or -EINVAL if it is not an integer. */
HSV_PUBLIC int hsv_value_integer(const HsvValue *value, int64_t *ret);

/* False also for what is not a boolean. */
HSV_PUBLIC bool hsv_value_is_true(const HsvValue *value);

/* The JSON text of one value, to be freed with free(). NULL if there is no value or no memory. */
HSV_PUBLIC char *hsv_value_encode(const HsvValue *value);

/* --- What can be asked ---------------------------------------------------------------------------------- */

HSV_PUBLIC int hsv_host_get(HsvClient *client, HsvDocument **ret);

/* Writes a copy of the daemon's whole inventory, an SQLite database, to fd: for hsvdpad --restore. After a failure
 * a part of it may have been written. */
HSV_PUBLIC int hsv_host_backup(HsvClient *client, int fd);

/* All management devices, under "/items". */
HSV_PUBLIC int hsv_mgmtdev_list(HsvClient *client, HsvDocument **ret);

/* handle: as the kernel has it, such as "pci/0000:01:00.0" or "vdpasim_net". */
HSV_PUBLIC int hsv_mgmtdev_get(HsvClient *client, const char *handle, HsvDocument **ret);

/* Changes what the administrator says of a management device. patch: a merge patch (RFC 7396) as JSON text, with
 * "cordoned", "labels" and "budgets"; null takes back what was said before. if_revision: refused with
 * "precondition-failed" unless the management device is at this revision; 0: any. */
HSV_PUBLIC int hsv_mgmtdev_update(HsvClient *client, const char *handle, const char *patch, uint64_t if_revision,
                                  HsvDocument **ret);

/* All pools, under "/items". */
HSV_PUBLIC int hsv_pool_list(HsvClient *client, HsvDocument **ret);
HSV_PUBLIC int hsv_pool_get(HsvClient *client, const char *name, HsvDocument **ret);

/* Makes a pool, or changes how many devices it has. spec: JSON text of an object, with "device", the template,
 * "low", "high" and "on_return". ret_created, which may be NULL: true if it is new. */
HSV_PUBLIC int hsv_pool_set(HsvClient *client, const char *name, const char *spec, HsvDocument **ret,
                            bool *ret_created);

/* Removes a pool and its free devices. */
HSV_PUBLIC int hsv_pool_delete(HsvClient *client, const char *name);

/* Takes a free device out of a pool. spec: JSON text of an object: what the device is given ("owner", "labels",
 * "lease_seconds", "net", "endpoint", "drift"); "{}" says nothing. "pool-empty" if there is none. */
HSV_PUBLIC int hsv_pool_claim(HsvClient *client, const char *name, const char *spec, HsvDocument **ret);

/* Gives a device back to a pool. uid: refused with "precondition-failed" unless it is this device's; NULL: any. */
HSV_PUBLIC int hsv_pool_return(HsvClient *client, const char *name, const char *device, const char *uid);

/* Makes a device, or confirms that there is one of that name with an equal spec. name: NULL lets the
 * daemon choose one. spec: JSON text of an object. ret_created, which may be NULL: true if it was made,
 * false if it was there. */
HSV_PUBLIC int hsv_device_create(HsvClient *client, const char *name, const char *spec, HsvDocument **ret,
                                 bool *ret_created);

/* Makes many devices, or deletes them, in one request. batch: JSON text: {"devices": [{"name", "spec"}, ...],
 * "atomic": true or false}; of a deletion {"devices": [{"name", "uid"}, ...], "missing_ok": true or false}. The
 * answer has an outcome for each under "/results", in the same order; that some have failed is no failure of the
 * call. */
HSV_PUBLIC int hsv_device_create_batch(HsvClient *client, const char *batch, HsvDocument **ret);
HSV_PUBLIC int hsv_device_delete_batch(HsvClient *client, const char *batch, HsvDocument **ret);

/* What hsv_device_create() would do, with nothing done: whether there is room ("mgmtdev": where), what it would
 * take
 * ("needs"), and what speaks against each management device ("candidates"). */
HSV_PUBLIC int hsv_device_plan(HsvClient *client, const char *name, const char *spec, HsvDocument **ret);

HSV_PUBLIC int hsv_device_get(HsvClient *client, const char *name, HsvDocument **ret);

/* The same, with "/status/in_use" and "/status/holders" as they are now: the daemon looks at every process for
 * that. */
HSV_PUBLIC int hsv_device_get_in_use(HsvClient *client, const char *name, HsvDocument **ret);

/* The same, but *ret is NULL if the device still is at that revision; 0: at none. To look often costs little. */
HSV_PUBLIC int hsv_device_get_if_changed(HsvClient *client, const char *name, uint64_t revision, HsvDocument **ret);

/* Changes a device. spec: a merge patch (RFC 7396) of its spec, as JSON text: members that are not there
 * stay, null takes one away. "owner", "labels", "lease_seconds" and in "net" the "mac" can change. if_revision:
 * refused with "precondition-failed" unless the device is at this revision; 0: any. */
HSV_PUBLIC int hsv_device_update(HsvClient *client, const char *name, const char *spec, uint64_t if_revision,
                                 HsvDocument **ret);

/* What a device has to be for a request to be carried out; else it is refused with "precondition-failed". */
typedef struct HsvCondition {
        const char *uid;     /* NULL: any */
        uint64_t generation; /* of its spec; 0: any */
        uint64_t revision;   /* 0: any */
} HsvCondition;

/* As hsv_device_update(), under a condition. */
HSV_PUBLIC int hsv_device_update_if(HsvClient *client, const char *name, const char *spec,
                                    const HsvCondition *condition, HsvDocument **ret);

/* Gives the lease of a device its full time again, or, from now on, another one. lease_seconds: 0: the same.
 * condition: NULL: none. */
HSV_PUBLIC int hsv_device_renew(HsvClient *client, const char *name, uint64_t lease_seconds,
                                const HsvCondition *condition, HsvDocument **ret);

/* A device that is not there counts as deleted. */
#define HSV_DELETE_MISSING_OK (1u << 0)

/* Deletes a device. uid: refused with "precondition-failed" unless it is this device's; NULL: any.
 * if_revision: as above. flags: HSV_DELETE_... or 0. */
HSV_PUBLIC int hsv_device_delete(HsvClient *client, const char *name, const char *uid, uint64_t if_revision,
                                 unsigned flags);

/* Vendor statistics, under "/items": "queue", "name", "value". */
HSV_PUBLIC int hsv_device_get_stats(HsvClient *client, const char *name, HsvDocument **ret);

/* Takes over a device that somebody else has made. spec: JSON text of an object: what it says of things that can be
 * observed has to be so (else: "mismatch"), and the rest is the device's from now on; "{}" says nothing. */
HSV_PUBLIC int hsv_device_adopt(HsvClient *client, const char *name, const char *spec, HsvDocument **ret);

/* Lists devices, page by page; nothing is sent yet. filters: NAME=VALUE strings with a NULL at the end,
 * such as "class=net", "state=ready", "mgmtdev=pci/0000:01:00.0", "owner=vm:42", "label=tenant=a"; a
 * device has to pass all. NULL: none. The client has to outlive the list. Returns 0, -EINVAL for a filter
 * without "=", or -ENOMEM. */
HSV_PUBLIC int hsv_device_list_new(HsvClient *client, const char *const *filters, HsvList **ret);

/* The same for what is not as it should be: devices that are missing, changed, foreign, and so on. filters:
 * "kind=..." (several: any of them), "mgmtdev=...", "refresh=true" to look at the host before each page. */
HSV_PUBLIC int hsv_drift_list_new(HsvClient *client, const char *const *filters, HsvList **ret);

/* The next page, with at most page_size items (0: as many as the daemon likes) under "/items"; there may
 * be fewer, or none, before the end. *ret is NULL after the last page. After a failure the same page can
 * be asked for again. */
HSV_PUBLIC int hsv_list_next(HsvList *list, unsigned page_size, HsvDocument **ret);
HSV_PUBLIC HsvList *hsv_list_free(HsvList *list);

/* Puts right what is not as it should be. request: JSON text: {"devices": [NAME, ...], "kinds": [KIND, ...],
 * "recreate": true or false}, of which nothing has to be there: {} is everything. dry_run: says what would be done,
 * and does nothing. The answer has an outcome for each device under "/results"; that some have failed is no failure
 * of the call. */
HSV_PUBLIC int hsv_drift_repair(HsvClient *client, const char *request, bool dry_run, HsvDocument **ret);

/* Is handed each change of a device, an "Event" of the API's description, whose "/revision" is where to go on from;
 * it belongs to the library. No call may be made with the client meanwhile. Returns false to be handed no more. */
typedef bool (*hsv_event_t)(void *userdata, const HsvDocument *event);

/* Follows what changes: with all changes after the revision *since, or NULL: after this call. Returns 0 when take()
 * wants no more, or the daemon ends; -ETIMEDOUT after total_ms milliseconds (0: never), or if the daemon has been
 * silent for a minute; HSV_REFUSED with "events-gone" if the changes after that revision are not kept any more. The
 * client's own time for a whole call does not count. */
HSV_PUBLIC int hsv_events_watch(HsvClient *client, const uint64_t *since, unsigned total_ms, hsv_event_t take,
                                void *userdata);

#ifdef __cplusplus
}
#endif

#endif
