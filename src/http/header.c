/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

char *etag_format(uint64_t revision, char *buffer) {
        (void) snprintf(buffer, ETAG_MAX, "\"%" PRIu64 "\"", revision);
        return buffer;
}

/* Reads one entity tag and moves *p past it. */
/* strtoull() would take blanks, signs and leading zeros, and one revision has one form only. */
static int number_parse(const char *text, char **ret_end, uint64_t *ret) {
        unsigned long long number;

        if (text[0] < '0' || text[0] > '9' || (text[0] == '0' && text[1] >= '0' && text[1] <= '9'))
                return -EINVAL;

        errno = 0;
        number = strtoull(text, ret_end, 10);
        if (errno != 0)
                return -EINVAL;

        *ret = number;
        return 0;
}

static int etag_parse(const char **p, uint64_t *ret) {
        const char *text = *p;
        char *end;

        if (text[0] != '"' || number_parse(text + 1, &end, ret) < 0 || *end != '"')
                return -EINVAL;

        *p = end + 1;
        return 0;
}

int revision_parse(const char *text, uint64_t *ret) {
        uint64_t revision;
        char *end;

        if (number_parse(text, &end, &revision) < 0 || *end)
                return -EINVAL;

        *ret = revision;
        return 0;
}

int if_match_parse(const char *value, bool *ret_any, uint64_t *ret_revision) {
        uint64_t revision = 0;
        bool any = *value == '*';

        if (any)
                value++;
        else if (etag_parse(&value, &revision) < 0)
                return -EINVAL;
        if (value[strspn(value, BLANKS)])
                return -EINVAL;

        *ret_any = any;
        *ret_revision = revision;
        return 0;
}

bool if_none_match_has(const char *value, uint64_t revision) {
        char tag[ETAG_MAX];
        size_t n = strlen(etag_format(revision, tag));

        if (*value == '*')
                return true;

        /* Tags that are not ours may be of any form; they are skipped up to the next comma. */
        for (;;) {
                value += strspn(value, BLANKS ",");
                if (!*value)
                        return false;
                if (strncmp(value, "W/", 2) == 0)
                        value += 2;
                if (strncmp(value, tag, n) == 0 && strchr(BLANKS ",", value[n]))
                        return true;
                value += strcspn(value, ",");
        }
}

bool media_type_is(const char *value, const char *type) {
        size_t n = strlen(type);

        if (strncasecmp(value, type, n) != 0)
                return false;

        value += n;
        value += strspn(value, BLANKS);
        return *value == '\0' || *value == ';';
}

bool list_names(const char *value, const char *item) {
        size_t n = strlen(item);

        for (; value; value++) {
                value += strspn(value, BLANKS);
                if (strncasecmp(value, item, n) == 0 && strchr(BLANKS ",;", value[n]))
                        return true;
                value = strchr(value, ',');
                if (!value)
                        break;
        }

        return false;
}

/* "q=0", with up to three zeros behind the point: not at all. */
static bool is_refused(const char *parameters) {
        const char *q = parameters + strspn(parameters, BLANKS ";");
        size_t n;

        if (strncasecmp(q, "q=0", 3) != 0)
                return false;
        q += 3;
        n = *q == '.' ? 1 + strspn(q + 1, "0") : 0;
        return strchr(BLANKS ",", q[n]);
}

bool accept_encoding_has(const char *value, const char *coding) {
        size_t n = strlen(coding);

        for (; value; value++) {
                value += strspn(value, BLANKS);
                if (strncasecmp(value, coding, n) == 0 && strchr(BLANKS ",;", value[n]))
                        return !is_refused(value + n);
                value = strchr(value, ',');
                if (!value)
                        break;
        }

        return false;
}

static bool address_is_loopback(const char *host) {
        struct in_addr address;

        return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool host_is_loopback(const char *value) {
        size_t n = value[0] == '[' ? strcspn(value, "]") + 1 : strcspn(value, ":");
        char host[64];

        /* "[" without "]" leads past the end. */
        if (n >= sizeof host || n > strlen(value))
                return false;
        memcpy(host, value, n);
        host[n] = '\0';

        value += n;
        if (*value == ':')
                value += 1 + strspn(value + 1, "0123456789");
        if (*value)
                return false;

        return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 || address_is_loopback(host);
}
