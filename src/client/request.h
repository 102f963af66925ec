/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One HTTP exchange. */

#include <stdint.h>

#include "client/client.h"
#include "client/document.h"

/* Where what succeeds goes, however long, and is no document. take() returns 0, or a negative errno that ends the
 * call. */
typedef struct Sink {
        int (*take)(void *userdata, const char *data, size_t n);
        void *userdata;
        bool is_stream;    /* it may go on for ever, as long as something comes now and then */
        unsigned total_ms; /* of a stream: it ends after this time; 0: never */
} Sink;

typedef struct Request {
        const char *method;
        const char *path; /* from "/" on, encoded, with its query */
        const json_t *body;
        uint64_t if_revision;  /* 0: any */
        const Sink *sink;      /* NULL: the answer is a document, or there is none */
        uint64_t not_revision; /* of a GET: no document if the answer would be of this revision; 0: always one */
} Request;

/* Sends the request and waits for the answer. Returns as the functions of hsvdpa/client.h do, with the
 * client's error set on failure. ret: the answer's document; NULL if what succeeds has none. ret_status:
 * the HTTP status of a success, or NULL. */
int client_call(HsvClient *client, const Request *request, unsigned *ret_status, HsvDocument **ret);

/* As client_call() for a GET. */
int client_get(HsvClient *client, const char *path, HsvDocument **ret);

/* Parses what the caller gives as text, which has to be a JSON object. what: its name in a complaint. Returns 0, or
 * a negative errno with the client's error set. */
int client_parse_object(HsvClient *client, const char *what, const char *text, json_t **ret);

/* {"spec": spec}, where spec is text of the caller's. As above. */
int client_spec_body(HsvClient *client, const char *spec, json_t **ret);

/* "PATH:VERB", to be freed. Returns 0, or -ENOMEM with the client's error set. */
int client_verb_path(HsvClient *client, const char *path, const char *verb, char **ret);

/* Sets the client's error for an argument that led to r: sentence if that is -EINVAL, else out of memory.
 * Returns r. */
int client_fail_argument(HsvClient *client, int r, const char *sentence);
