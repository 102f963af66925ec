# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client that sends every request three times, with delays, across kills of the daemon, while another uses the same
names: no device is made twice, none is deleted that was not meant."""

import collections
import heapq
import http.client
import json
import random
import subprocess
import sys
import threading
import time

import pytest

import retry_checker
from client import Connection, connect
from load import check as check_resources
from support import DEADLINE, SLOW, TREE, poll

N_OPERATIONS = 500 if SLOW else 100_000
N_KILLS = 4 if SLOW else 20
N_RETRYING, N_OTHERS = 6, 3
N_NAMES = 120
HELD_MAX = 8
DELAY_MAX = 3.0


class Request:
    def __init__(self, op, token, method, target, body=None, uid="", key=None):
        self.op, self.token, self.uid, self.key = op, token, uid, key
        self.method, self.target, self.body = method, target, json.dumps(body) if body else None
        self.name = f"{op} {token}"

    def record(self, status, answer):
        got = answer.get("uid", "") if status in (200, 201) else ""
        return {"request": self.name, "op": self.op, "token": self.token, "keyed": bool(self.key), "uid": self.uid,
                "status": status, "code": answer.get("code", ""), "got": got}


class Caller(threading.Thread):
    """One connection, and what it has made."""

    def __init__(self, crowd, index, is_retrying):
        super().__init__()
        self.crowd, self.is_retrying = crowd, is_retrying
        self.who = f"{'r' if is_retrying else 'o'}{index}"
        self.random = random.Random(f"{crowd.seed} {self.who}")
        self.connection = None
        self.late = []  # (when, number, request): to be sent again
        self.held = collections.deque()
        self.counter = 0
        self.error = None

    def run(self):
        try:
            while not self.crowd.is_over():
                self._send_late(time.monotonic())
                self._work()
            self._send_late(float("inf"))
        except BaseException as error:  # told by the test's own thread
            self.error = error

    def _send_late(self, now):
        while self.late and self.late[0][0] <= now:
            self._send_once(heapq.heappop(self.late)[2])

    def _work(self):
        if len(self.held) < HELD_MAX and self.random.random() < 0.6:
            self._create()
        elif self.held:
            self._end(*self.held.popleft())

    def _key(self, what):
        return f"{what}-{self.crowd.seed}" if self.is_retrying else None

    def _create(self):
        self.counter += 1
        token = f"{self.who}-{self.counter}"
        spec = {"class": "net", "labels": {"token": token}}
        name = f"n{self.random.randrange(N_NAMES)}"
        if self.is_retrying and self.random.random() < 0.2:
            request = Request("create", token, "POST", "/v1/devices", {"spec": spec}, key=self._key(token))
        else:
            request = Request("create", token, "PUT", f"/v1/devices/{name}", {"spec": spec}, key=self._key(token))
        status, answer = self._send(request)
        if status in (200, 201):
            self.held.append((token, answer["name"], answer["uid"]))
            if self.random.random() < 0.3:
                self._change(token, answer["name"], answer["uid"])

    def _change(self, token, name, uid):
        body = {"spec": {"owner": self.who}}
        self._send(Request("patch", token, "PATCH", f"/v1/devices/{name}?uid={uid}", body, uid, self._key(f"p-{token}")))

    def _end(self, token, name, uid):
        target = f"/v1/devices/{name}?uid={uid}"
        self._send(Request("delete", token, "DELETE", target, None, uid, self._key(f"d-{token}")))

    def _send(self, request):
        """The first time; and again later, twice."""
        result = self._send_once(request)
        if self.is_retrying:
            for _ in range(2):
                due = time.monotonic() + self.random.uniform(0, DELAY_MAX)
                heapq.heappush(self.late, (due, self.crowd.number(), request))
        return result

    def _send_once(self, request):
        """Until there is an answer that is one."""
        end = time.monotonic() + 4 * DEADLINE
        while True:
            try:
                status, answer = self._exchange(request)
                if status != 503:
                    break
            except (OSError, http.client.HTTPException):
                self.connection = None
            assert time.monotonic() < end, f"{request.name} is not answered"
            time.sleep(0.05)
        self.crowd.note(request.record(status, answer))
        return status, answer

    def _exchange(self, request):
        if not self.connection:
            self.connection = Connection(connect(self.crowd.daemon.socket))
        headers = {"Content-Type": "application/json"} if request.body else {}
        if request.key:
            headers["Idempotency-Key"] = request.key
        self.connection.request(request.method, request.target, request.body, headers)
        response = self.connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else {}


class Crowd:
    def __init__(self, daemon, seed):
        self.daemon, self.seed = daemon, seed
        self.records, self.lock, self.counter = [], threading.Lock(), 0
        self.callers = [Caller(self, i, True) for i in range(N_RETRYING)]
        self.callers += [Caller(self, i, False) for i in range(N_OTHERS)]

    def number(self):
        with self.lock:
            self.counter += 1
            return self.counter

    def note(self, record):
        with self.lock:
            self.records.append(record)

    def is_over(self):
        return len(self.records) >= N_OPERATIONS or any(caller.error for caller in self.callers)

    def run(self):
        for caller in self.callers:
            caller.start()
        for kill in range(1, N_KILLS + 1):
            wanted = kill * N_OPERATIONS // (N_KILLS + 1)
            poll("answers", lambda n=wanted: len(self.records) >= n or self.is_over(), 3600)
            if kill % 4 == 0:
                self.daemon.restart()
            else:
                self.daemon.kill9()
                self.daemon.start()
        for caller in self.callers:
            caller.join()
        for caller in self.callers:
            if caller.error:
                raise caller.error


def test_every_request_three_times(make_daemon, tmp_path):
    daemon = make_daemon("[limits]\nmax_connections = 64\n")
    daemon.start()
    seed = random.randrange(1 << 32)
    crowd = Crowd(daemon, seed)
    begin = time.monotonic()
    crowd.run()
    seconds = time.monotonic() - begin

    statuses = collections.Counter((record["op"], record["status"]) for record in crowd.records)
    assert statuses.keys() <= {("create", 201), ("create", 200), ("create", 409), ("create", 410), ("patch", 200),
                               ("patch", 410), ("delete", 204)}, statuses
    journal = tmp_path / "journal"
    journal.write_text("".join(json.dumps(record) + "\n" for record in crowd.records))
    result = subprocess.run(
        [sys.executable, "-B", TREE / "tests/daemon/retry_checker.py", f"--journal={journal}",
         f"--url=unix:{daemon.socket}"],
        capture_output=True, text=True, timeout=4 * DEADLINE, check=False,
    )
    print(f"seed {seed}: {len(crowd.records)} operations in {seconds:.0f} s, {N_KILLS} restarts")
    print(", ".join(f"{op} {status}: {n}" for (op, status), n in sorted(statuses.items())))
    print(result.stdout, result.stderr)
    assert result.returncode == 0, result.stdout[-4000:]
    check_resources(daemon)


RECORD = {"op": "create", "token": "t", "request": "create t", "keyed": True, "uid": "", "status": 201, "code": "",
          "got": "u"}
DELETION = {**RECORD, "op": "delete", "request": "delete t", "uid": "u", "status": 204, "got": ""}
DEVICE = {"uid": "u", "spec": {"labels": {"token": "t"}}}
OTHER = {"uid": "v", "spec": {"labels": {"token": "t"}}}

DAMAGES = [
    ([RECORD], [], "nobody has asked for that"),
    ([RECORD], [DEVICE, OTHER], "there were the devices"),
    ([RECORD, {**RECORD, "got": "v"}], [DEVICE], "was answered with the devices"),
    ([RECORD, {**RECORD, "status": 409, "got": ""}], [DEVICE], "was answered with [201, 409]"),
    ([RECORD, DELETION], [DEVICE], "is there, and was deleted"),
    ([{**RECORD, "status": 409, "got": ""}], [DEVICE], "was refused"),
    ([RECORD], [DEVICE, {"uid": "w", "spec": {"labels": {"token": "x"}}}], "nobody has asked for w"),
    ([{**RECORD, "keyed": False}, {**RECORD, "keyed": False, "status": 410, "got": ""}, DELETION], [], "has no key"),
]


@pytest.mark.parametrize("records, devices, damage", DAMAGES, ids=range(len(DAMAGES)))
def test_the_checker_sees_it(records, devices, damage):
    found, _ = retry_checker.check(records, devices)
    assert any(damage in text for text in found), found


def test_the_checker_finds_nothing_else():
    gone = {**RECORD, "status": 410, "got": ""}
    assert retry_checker.check([RECORD, gone, DELETION], []) == (
        [], {"answers": 3, "requests": 2, "devices made": 1, "devices left": 0})
    assert retry_checker.check([RECORD], [DEVICE])[0] == []
