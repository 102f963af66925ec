/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/listen.h"

#include <errno.h>
#include <fcntl.h>
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
#include <systemd/sd-daemon.h>

#include "util/log.h"

#define UNIX_PREFIX "unix:"
#define TCP_PREFIX  "tcp:"

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

        group = getgrnam(LISTEN_GROUP);
        if (group && (chown(path, (uid_t) -1, group->gr_gid) < 0 || chmod(path, 0660) < 0))
                log_warning_errno(errno, "Cannot give %s to the group %s: %m", path, LISTEN_GROUP);
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

/* TCP has no encryption and no authentication. */
static int refuse_remote(const char *address) {
        return log_error_errno(EPERM,
                               "%s: TCP is for loopback addresses only, because it has no encryption and no "
                               "authentication yet",
                               address);
}

static int bind_tcp(const char *address, const struct addrinfo *ai, int *ret) {
        _cleanup_close_ int fd = -1;
        int on = 1;

        if (!is_loopback(ai->ai_addr))
                return refuse_remote(address);

        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 && errno == EAFNOSUPPORT)
                return log_error_errno(
                        errno,
                        "Cannot listen at %s: the service may not make TCP sockets; have systemd make "
                        "it, by a ListenStream= of hsvdpad.socket",
                        address);
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

/* The socket's own address; the other kinds come out as neither. */
static int get_address(int fd, struct sockaddr_storage *ret) {
        socklen_t size = sizeof *ret;

        *ret = (struct sockaddr_storage){};
        return getsockname(fd, (struct sockaddr *) ret, &size) < 0 ? -errno : 0;
}

static int check_inherited(int fd) {
        struct sockaddr_storage sa;
        int r;

        r = sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1);
        if (r == 0)
                r = -EINVAL;
        if (r > 0)
                r = get_address(fd, &sa);
        if (r == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
                r = -errno;
        if (r < 0)
                return log_error_errno(
                        r, "Cannot use descriptor %d of the service manager as a listening socket: %m", fd);

        if (sa.ss_family != AF_UNIX && !is_loopback((const struct sockaddr *) &sa))
                return refuse_remote("A socket of the service manager");
        return 0;
}

int listen_inherit(int **ret, size_t *ret_n) {
        _cleanup_free_ int *fds = NULL;
        int n, r;

        n = sd_listen_fds(1);
        if (n < 0)
                return log_error_errno(n, "Cannot take over the service manager's sockets: %m");

        fds = calloc((size_t) n + 1, sizeof *fds);
        if (!fds)
                return log_oom();
        for (int i = 0; i < n; i++) {
                fds[i] = SD_LISTEN_FDS_START + i;
                r = check_inherited(fds[i]);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(fds);
        *ret_n = (size_t) n;
        return 0;
}

bool listen_is_at(int fd, const char *address) {
        const char *path = unix_path(address);
        struct sockaddr_storage sa;

        return path && get_address(fd, &sa) == 0 && sa.ss_family == AF_UNIX &&
               strcmp(((const struct sockaddr_un *) (const void *) &sa)->sun_path, path) == 0;
}

void listen_remove(const char *address) {
        const char *path = unix_path(address);

        if (path)
                (void) unlink(path);
}
