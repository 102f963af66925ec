/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/client.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define CONNECT_MS_DEFAULT 5000
#define TOTAL_MS_DEFAULT   60000
#define MAX_ANSWER_DEFAULT (64u << 20)

/* curl counts the calls of its global functions, and locks them since 7.84: one pair for each client. */
static int open_curl(HsvClient *client) {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return -ENOMEM;
        client->curl = curl_easy_init();
        if (!client->curl) {
                curl_global_cleanup();
                return -ENOMEM;
        }
        return 0;
}

int hsv_client_new(const char *url, HsvClient **ret) {
        _cleanup_(hsv_client_freep) HsvClient *client = NULL;
        int r;

        if (!url)
                url = secure_getenv("HSVDPA_URL");
        if (!url)
                url = HSV_DEFAULT_URL;

        client = malloc(sizeof *client);
        if (!client)
                return -ENOMEM;
        *client = (HsvClient){
                .connect_ms = CONNECT_MS_DEFAULT,
                .total_ms = TOTAL_MS_DEFAULT,
                .max_answer = MAX_ANSWER_DEFAULT,
        };
        client->url_text = strdup(url);
        if (!client->url_text)
                return -ENOMEM;
        r = server_url_parse(url, &client->url);
        if (r < 0)
                return r;
        r = open_curl(client);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(client);
        return 0;
}

HsvClient *hsv_client_free(HsvClient *client) {
        if (!client)
                return NULL;
        if (client->curl) {
                curl_easy_cleanup(client->curl);
                curl_global_cleanup();
        }
        error_done(&client->error);
        server_url_done(&client->url);
        free(client->url_text);
        free(client);
        return NULL;
}

const char *hsv_client_get_url(const HsvClient *client) {
        return client->url_text;
}

int hsv_client_set_timeouts(HsvClient *client, unsigned connect_ms, unsigned total_ms) {
        if (connect_ms == 0 || connect_ms > INT_MAX || total_ms == 0 || total_ms > INT_MAX)
                return -EINVAL;
        client->connect_ms = connect_ms;
        client->total_ms = total_ms;
        return 0;
}

int hsv_client_set_max_answer(HsvClient *client, size_t bytes) {
        if (bytes == 0)
                return -EINVAL;
        client->max_answer = bytes;
        return 0;
}

const HsvError *hsv_client_last_error(const HsvClient *client) {
        return &client->error;
}
