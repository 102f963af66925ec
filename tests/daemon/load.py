# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many requests on a few connections, and a daemon that may be killed meanwhile."""

import collections
import http.client
import json
import threading

import checker
from client import Connection, connect
from support import DEADLINE, poll

N_CLIENTS = 16
PATIENCE = 4 * DEADLINE

DONE = (200, 201, 204)


class Load:
    """Requests on connections that stay open; those that are not answered stay to be sent again. Any other status
    than these ends it."""

    def __init__(self, daemon, requests, statuses=DONE):
        self.daemon = daemon
        self.waiting = collections.deque(requests)
        self.statuses = statuses
        self.answered = collections.Counter()
        self.unexpected = []
        self.threads = []

    def start(self):
        self.threads = [threading.Thread(target=self._work) for _ in range(N_CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _work(self):
        try:
            connection = Connection(connect(self.daemon.socket))
        except OSError:  # the daemon was killed already
            return
        while not self.unexpected:
            try:
                request = self.waiting.popleft()
            except IndexError:
                break
            try:
                self._send(connection, *request)
            except (OSError, http.client.HTTPException):  # the daemon was killed
                self.waiting.appendleft(request)
                break
        connection.close()

    def _send(self, connection, method, target, body):
        connection.request(method, target, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        self.answered[response.status] += 1
        if response.status not in self.statuses:
            self.unexpected.append((method, target, body, response.status, answer))

    def finish(self):
        for thread in self.threads:
            thread.join()
        assert not self.unexpected, self.unexpected[:3]

    def run(self, kill_at=None):
        """Sends them all; with kill_at, kills the daemon after so many answers, and goes on with the next one."""
        self.start()
        if kill_at:
            poll("answers", lambda: self.answered.total() >= kill_at or self.unexpected, PATIENCE)
            self.daemon.kill9()
            self.finish()
            self.daemon.start()
            check(self.daemon)
            self.start()
        self.finish()
        assert not self.waiting
        return self


def put(name, spec):
    return "PUT", f"/v1/devices/{name}", json.dumps({"spec": spec}).encode()


def delete(name):
    return "DELETE", f"/v1/devices/{name}?missing_ok=true", None


def check(daemon):
    """Nothing is held twice, and every sum is right."""
    checker.check_connection(checker.Connection(f"unix:{daemon.socket}", PATIENCE), PATIENCE)
