/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Asks an HTTP server the same thing many times over, on so many connections at once, and tells how long that took.
 * Each connection has one request under way; each answer must have the status that is expected. One thread, epoll,
 * no library for HTTP: it must cost less than what it measures.
 *
 * load [OPTION]... ADDRESS METHOD TARGET STATUS
 *     ADDRESS is the path of a Unix socket, or PORT on loopback. In TARGET and the body, % is the number of the
 *     request.
 *
 *     -c N     connections (1)
 *     -n N     requests (1000)
 *     -f N     number of the first (0)
 *     -m N     so many numbers, which come again and again (as many as requests)
 *     -b BODY  what is sent
 *     -t TYPE  its media type (application/json)
 *     -H LINE  a line more of the header
 *
 * Prints one JSON object: requests, seconds, per_second, and p50_usec, p99_usec, max_usec of one request. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (256u * 1024)

typedef struct Plan {
        const char *address, *method, *target, *body, *type, *line;
        int status;
        unsigned long n_connections, n, first, n_numbers;
} Plan;

typedef struct Connection {
        int fd;
        uint64_t begun_nsec;
        size_t n_read;
        char answer[ANSWER_MAX];
} Connection;

static Plan plan = { .type = "application/json", .n_connections = 1, .n = 1000, .n_numbers = UINT32_MAX };
static unsigned long n_sent, n_answered;
static uint32_t *usecs;

static uint64_t now_nsec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static unsigned long parse_number(const char *text) {
        char *end;
        unsigned long n = strtoul(text, &end, 10);

        if (end == text || *end)
                errx(2, "%s is not a number", text);
        return n;
}

static int open_connection(void) {
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        bool is_unix = strchr(plan.address, '/');
        int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

        if (fd < 0)
                err(1, "socket");
        if (is_unix) {
                if (strlen(plan.address) >= sizeof un.sun_path)
                        errx(2, "%s is too long", plan.address);
                strcpy(un.sun_path, plan.address);
                r = connect(fd, (struct sockaddr *) &un, sizeof un);
        } else {
                in.sin_port = htons((uint16_t) parse_number(plan.address));
                r = connect(fd, (struct sockaddr *) &in, sizeof in);
        }
        if (r < 0)
                err(1, "%s", plan.address);
        return fd;
}

/* Copies the text with the number in the place of each %. */
static size_t fill_in(char *to, size_t size, const char *text, unsigned long number) {
        size_t n = 0;

        for (; *text && n + 24 < size; text++)
                if (*text == '%')
                        n += (size_t) sprintf(to + n, "%lu", number);
                else
                        to[n++] = *text;
        to[n] = '\0';
        return n;
}

static void send_next(Connection *c) {
        char target[512], body[8192] = "", text[16384];
        unsigned long number = plan.first + n_sent++ % plan.n_numbers;
        size_t n_body = plan.body ? fill_in(body, sizeof body, plan.body, number) : 0;
        int n;

        (void) fill_in(target, sizeof target, plan.target, number);
        n = snprintf(text, sizeof text,
                     "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n%s%sContent-Length: %zu\r\n\r\n%s",
                     plan.method, target, plan.type, plan.line ?: "", plan.line ? "\r\n" : "", n_body, body);
        c->n_read = 0;
        c->begun_nsec = now_nsec();
        if (write(c->fd, text, (size_t) n) != n)
                err(1, "write");
}

/* Returns whether the answer is there, whole. */
static bool is_whole(const Connection *c) {
        const char *end = memmem(c->answer, c->n_read, "\r\n\r\n", 4), *length;

        if (!end)
                return false;
        if (strtol(c->answer + strlen("HTTP/1.1 "), NULL, 10) != plan.status)
                errx(1, "%s %s: %.*s", plan.method, plan.target, (int) c->n_read, c->answer);
        if (plan.status == 204)
                return true;
        length = strcasestr(c->answer, "\r\nContent-Length:");
        if (length && length < end)
                return c->n_read >=
                       (size_t) (end + 4 - c->answer) + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
        /* In chunks; nothing else ends in this way. */
        return c->n_read >= 5 && memcmp(c->answer + c->n_read - 5, "0\r\n\r\n", 5) == 0;
}

static void receive(Connection *c) {
        ssize_t n = read(c->fd, c->answer + c->n_read, sizeof c->answer - 1 - c->n_read);

        if (n <= 0)
                err(1, "%s", n == 0 ? "the server has closed a connection, or its answer is too long" : "read");
        c->n_read += (size_t) n;
        c->answer[c->n_read] = '\0';
        if (!is_whole(c))
                return;
        usecs[n_answered++] = (uint32_t) ((now_nsec() - c->begun_nsec) / 1000);
        if (n_sent < plan.n)
                send_next(c);
}

static void run(Connection *connections) {
        int epoll = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event events[64];

        if (epoll < 0)
                err(1, "epoll");
        for (unsigned long i = 0; i < plan.n_connections && i < plan.n; i++) {
                Connection *c = &connections[i];
                struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

                c->fd = open_connection();
                if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
                        err(1, "epoll");
                send_next(c);
        }
        while (n_answered < plan.n) {
                int n = epoll_wait(epoll, events, 64, -1);

                if (n < 0 && errno != EINTR)
                        err(1, "epoll");
                for (int i = 0; i < n; i++)
                        receive(events[i].data.ptr);
        }
        (void) close(epoll);
}

static int compare(const void *a, const void *b) {
        uint32_t left = *(const uint32_t *) a, right = *(const uint32_t *) b;

        return left < right ? -1 : left > right;
}

static void parse(int argc, char **argv) {
        int option;

        while ((option = getopt(argc, argv, "c:n:f:m:b:t:H:")) >= 0)
                switch (option) {
                case 'c':
                        plan.n_connections = parse_number(optarg);
                        break;
                case 'n':
                        plan.n = parse_number(optarg);
                        break;
                case 'f':
                        plan.first = parse_number(optarg);
                        break;
                case 'm':
                        plan.n_numbers = parse_number(optarg);
                        break;
                case 'b':
                        plan.body = optarg;
                        break;
                case 't':
                        plan.type = optarg;
                        break;
                case 'H':
                        plan.line = optarg;
                        break;
                default:
                        exit(2);
                }
        if (argc - optind != 4 || plan.n == 0 || plan.n_numbers == 0 || plan.n_connections == 0)
                errx(2, "usage: load [OPTION]... ADDRESS METHOD TARGET STATUS");
        plan.address = argv[optind];
        plan.method = argv[optind + 1];
        plan.target = argv[optind + 2];
        plan.status = (int) parse_number(argv[optind + 3]);
}

int main(int argc, char **argv) {
        Connection *connections;
        uint64_t begin;
        double seconds;

        parse(argc, argv);
        connections = calloc(plan.n_connections, sizeof *connections);
        usecs = calloc(plan.n, sizeof *usecs);
        if (!connections || !usecs)
                err(1, "memory");

        begin = now_nsec();
        run(connections);
        seconds = (double) (now_nsec() - begin) / 1e9;
        qsort(usecs, plan.n, sizeof *usecs, compare);
        printf("{\"requests\": %lu, \"seconds\": %.6f, \"per_second\": %.1f, \"p50_usec\": %u, \"p99_usec\": %u, "
               "\"max_usec\": %u}\n",
               plan.n, seconds, (double) plan.n / seconds, usecs[plan.n / 2], usecs[plan.n * 99 / 100],
               usecs[plan.n - 1]);
        free(connections);
        free(usecs);
        return 0;
}
