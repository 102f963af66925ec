/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/listen.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "util/log.h"

#define UNIX_PREFIX  "unix:"
#define TCP_PREFIX   "tcp:"
#define SOCKET_GROUP "hsvdpa"

/* The path of a Unix socket's address, or NULL if it is not one. */
static const char *unix_path(const char *address) {
        size_t n = strlen(UNIX_PREFIX);

        return strncmp(address, UNIX_PREFIX, n) == 0 && address[n] == '/' ? address + n : NULL;
}

/* Only digits, and at most 65535: getaddrinfo() would take the rest of a larger number. */
static bool port_is_valid(const char *port) {
        size_t n = strlen(port);

        return n > 0 && n <= 5 && strspn(port, "0123456789") == n && strtoul(port, NULL, 10) <= UINT16_MAX;
}

/* Splits "tcp:HOST:PORT", "tcp:[::1]:PORT". */
static int tcp_split(const char *address, char host[static 64], char port[static 8]) {
        const char *start = address + strlen(TCP_PREFIX), *colon = strrchr(address, ':');
        size_t n;

        if (strncmp(address, TCP_PREFIX, strlen(TCP_PREFIX)) != 0 || colon < start)
                return -EINVAL;

        n = (size_t) (colon - start);
        if (start[0] == '[' && n >= 2 && start[n - 1] == ']') {
                start++;
                n -= 2;
        }
        if (n == 0 || n >= 64 || !port_is_valid(colon + 1))
                return -EINVAL;

        memcpy(host, start, n);
        host[n] = '\0';
        strcpy(port, colon + 1);
        return 0;
}

int listen_check(const char *address) {
        const char *path = unix_path(address);
        char host[64], port[8];

        if (path)
                return strlen(path) < sizeof(((struct sockaddr_un *) NULL)->sun_path) ? 0 : -EINVAL;
        return tcp_split(address, host, port);
}

/* A socket file without anybody behind it is left over from a daemon that was killed. */
static int remove_stale(const struct sockaddr_un *sa) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct stat st;

        if (fd < 0)
                return -errno;
        if (lstat(sa->sun_path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -EEXIST;
        /* EAGAIN: somebody is there, with more connections waiting than fit. */
        if (connect(fd, (const struct sockaddr *) sa, sizeof *sa) == 0 || errno == EAGAIN)
                return -EADDRINUSE;
        if (errno != ECONNREFUSED)
                return -errno;
        return unlink(sa->sun_path) < 0 ? -errno : 0;
}

static int open_unix(const char *path, int *ret) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;
        struct group *group;
        mode_t mask;
        int r;

        strcpy(sa.sun_path, path);
        r = remove_stale(&sa);
        if (r < 0)
                return log_error_errno(r, "Cannot listen at %s: %m", path);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return log_error_errno(errno, "Cannot make a socket: %m");

        /* Nobody else gets in between bind() and chown(). */
        mask = umask(0177);
        r = bind(fd, (const struct sockaddr *) &sa, sizeof sa) < 0 ? -errno : 0;
        umask(mask);
        if (r < 0)
                return log_error_errno(r, "Cannot listen at %s: %m", path);

        group = getgrnam(SOCKET_GROUP);
        if (group && (chown(path, (uid_t) -1, group->gr_gid) < 0 || chmod(path, 0660) < 0))
                log_warning_errno(errno, "Cannot give %s to the group %s: %m", path, SOCKET_GROUP);
        if (listen(fd, SOMAXCONN) < 0)
                return log_error_errno(errno, "Cannot listen at %s: %m", path);

        *ret = TAKE_FD(fd);
        return 0;
}

static bool is_loopback(const struct sockaddr *sa) {
        if (sa->sa_family == AF_INET)
                return ntohl(((const struct sockaddr_in *) (const void *) sa)->sin_addr.s_addr) >> 24 == 127;
        return sa->sa_family == AF_INET6 &&
               IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *) (const void *) sa)->sin6_addr);
}

static int bind_tcp(const char *address, const struct addrinfo *ai, int *ret) {
        _cleanup_close_ int fd = -1;
        int on = 1;

        if (!is_loopback(ai->ai_addr))
                return log_error_errno(
                        EPERM,
                        "%s: TCP is for loopback addresses only, because it has no encryption and no "
                        "authentication yet",
                        address);

        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
            bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
                return log_error_errno(errno, "Cannot listen at %s: %m", address);

        *ret = TAKE_FD(fd);
        return 0;
}

static int open_tcp(const char *address, int *ret) {
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
        struct addrinfo *ai;
        char host[64], port[8];
        int r;

        r = tcp_split(address, host, port);
        if (r < 0)
                return log_error_errno(r, "%s is not an address", address);

        /* Names are not looked up: a daemon should not wait for a name server, and this one has one meaning. */
        r = getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &ai);
        if (r != 0)
                return log_error_errno(EINVAL, "%s: %s", address, gai_strerror(r));
        r = bind_tcp(address, ai, ret);
        freeaddrinfo(ai);
        return r;
}

int listen_open(const char *address, int *ret) {
        const char *path = unix_path(address);

        return path ? open_unix(path, ret) : open_tcp(address, ret);
}

void listen_remove(const char *address) {
        const char *path = unix_path(address);

        if (path)
                (void) unlink(path);
}
