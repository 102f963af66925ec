/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists, page by page. Where the next page begins is the daemon's affair: it says so with an opaque word. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/request.h"

struct HsvList {
        HsvClient *client; /* weak */
        char *path;        /* with the filters */
        char *next;        /* where the next page begins; NULL: at the beginning */
        bool at_end;
};
DEFINE_CLEANUP(HsvList *, hsv_list_free)

static int append_filters(char **path, const char *const *filters) {
        for (; filters && *filters; filters++) {
                const char *equals = strchr(*filters, '=');
                int r;

                if (!equals || equals == *filters)
                        return -EINVAL;
                r = path_append_parameter(path, *filters, (size_t) (equals - *filters), equals + 1);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int list_new(HsvClient *client, const char *path, const char *const *filters, HsvList **ret) {
        _cleanup_(hsv_list_freep) HsvList *list = NULL;
        int r;

        list = calloc(1, sizeof *list);
        if (!list)
                return error_set(&client->error, ENOMEM, "Out of memory");
        list->client = client;
        list->path = strdup(path);
        r = list->path ? append_filters(&list->path, filters) : -ENOMEM;
        if (r < 0)
                return client_fail_argument(client, r, "A filter must be NAME=VALUE");

        *ret = TAKE_PTR(list);
        return 0;
}

int hsv_device_list_new(HsvClient *client, const char *const *filters, HsvList **ret) {
        return list_new(client, "/v1/devices", filters, ret);
}

int hsv_drift_list_new(HsvClient *client, const char *const *filters, HsvList **ret) {
        return list_new(client, "/v1/drift", filters, ret);
}

HsvList *hsv_list_free(HsvList *list) {
        if (!list)
                return NULL;
        free(list->path);
        free(list->next);
        free(list);
        return NULL;
}

static int page_path(const HsvList *list, unsigned page_size, char **ret) {
        _cleanup_free_ char *path = strdup(list->path);
        char number[16];
        int r = 0;

        if (!path)
                return -ENOMEM;
        if (page_size > 0) {
                (void) snprintf(number, sizeof number, "%u", page_size);
                r = path_append_parameter(&path, "limit", strlen("limit"), number);
        }
        if (r == 0 && list->next)
                r = path_append_parameter(&path, "continue", strlen("continue"), list->next);
        if (r == 0)
                *ret = TAKE_PTR(path);
        return r;
}

/* Remembers where the page after this one begins. */
static int step(HsvList *list, const HsvDocument *page) {
        const char *word = hsv_value_string(hsv_value_get(hsv_document_root(page), "/continue"));
        char *next;

        if (!word) {
                list->at_end = true;
                return 0;
        }
        if (list->next && strcmp(list->next, word) == 0)
                return error_set(&list->client->error, EBADMSG, "The list does not go on after one of its pages");
        next = strdup(word);
        if (!next)
                return error_set(&list->client->error, ENOMEM, "Out of memory");
        free(list->next);
        list->next = next;
        return 0;
}

static int fetch(HsvList *list, unsigned page_size, HsvDocument **ret) {
        _cleanup_(hsv_document_freep) HsvDocument *page = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = page_path(list, page_size, &path);
        if (r < 0)
                return error_set(&list->client->error, r, "Out of memory");
        r = client_get(list->client, path, &page);
        if (r == 0)
                r = step(list, page);
        if (r == 0)
                *ret = TAKE_PTR(page);
        return r;
}

int hsv_list_next(HsvList *list, unsigned page_size, HsvDocument **ret) {
        if (!list->at_end)
                return fetch(list, page_size, ret);
        *ret = NULL;
        return 0;
}
