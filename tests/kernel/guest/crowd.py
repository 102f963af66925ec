# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many clients at once."""

import http.client
import threading

import rest
import vdpa


class Crowd:
    """Clients, each a thread with a connection of its own, that work on a list of calls: (method, name[, spec]).

    outcome[name] is the status of the answer, or None if there was none: then it is not known what was done.
    """

    def __init__(self, calls, clients=64):
        self.outcome = {}
        calls = list(calls)
        self._calls = iter(calls)
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(min(clients, len(calls)))]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def join(self, timeout=4 * vdpa.DEADLINE):
        for thread in self._threads:
            thread.join(timeout)
            assert not thread.is_alive(), "a client has had no answer"
        return self.outcome

    def answered(self):
        with self._lock:
            return sum(status is not None for status in self.outcome.values())

    def _next(self):
        with self._lock:
            return next(self._calls, None)

    def _work(self):
        connection = rest.Connection()
        api = rest.Api(connection.ask)
        while call := self._next():
            method, name, *spec = call
            try:
                status = getattr(api, method)(name, *spec).status
            except (OSError, http.client.HTTPException):
                status = None
                connection.close()
            with self._lock:
                self.outcome[name] = status
        connection.close()


def run(calls, clients=64):
    """All calls, and what came of them."""
    return Crowd(calls, clients).start().join()
