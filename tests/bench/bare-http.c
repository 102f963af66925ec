/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The least that a server with libmicrohttpd does: it takes each request whole, whatever it is, and answers with
 * the same bytes. One thread, as the daemon has for its clients.
 *
 * bare-http SOCKET STATUS BODY    listens there until it is terminated */
#include <err.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct MHD_Response *response;
static unsigned status;

static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *n_data,
                                  void **request) {
        static char begun;

        if (!*request) {
                *request = &begun;
                return MHD_YES;
        }
        if (*n_data > 0) {
                *n_data = 0;
                return MHD_YES;
        }
        return MHD_queue_response(connection, status, response);
}

static int open_socket(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (strlen(path) >= sizeof address.sun_path)
                errx(2, "%s is too long", path);
        strcpy(address.sun_path, path);
        (void) unlink(path);
        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof address) < 0 || listen(fd, 1024) < 0)
                err(1, "%s", path);
        return fd;
}

int main(int argc, char **argv) {
        struct MHD_Daemon *daemon;
        sigset_t signals;
        int signal;

        if (argc != 4)
                errx(2, "usage: bare-http SOCKET STATUS BODY");
        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) pthread_sigmask(SIG_BLOCK, &signals, NULL);

        status = (unsigned) strtoul(argv[2], NULL, 10);
        response = MHD_create_response_from_buffer(strlen(argv[3]), argv[3], MHD_RESPMEM_PERSISTENT);
        if (!response || MHD_add_response_header(response, "Content-Type", "application/json") != MHD_YES)
                errx(1, "cannot make the response");
        daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, NULL,
                                  MHD_OPTION_LISTEN_SOCKET, open_socket(argv[1]), MHD_OPTION_CONNECTION_LIMIT,
                                  1024u, MHD_OPTION_END);
        if (!daemon)
                errx(1, "cannot start");
        (void) sigwait(&signals, &signal);
        MHD_stop_daemon(daemon);
        MHD_destroy_response(response);
        return 0;
}
