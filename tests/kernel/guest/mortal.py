# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that may die at any moment, on the kernel backend: a process of the test's own and no service, so that nobody
starts it again but the test. It has promised what it has acknowledged (promises.py), and is looked at from all sides:
agree() compares it with the kernel, audit.py with its own database."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import threading

import audit
import rest
import vdpa
from agreement import agree
from promises import PoolUser, Promises

PROGRAM = "/usr/sbin/hsvdpad"
CRASH_PROGRAM = "/usr/libexec/hsvdpa-tests/hsvdpad-crash"
DIRECTORY = pathlib.Path("/run/hsvdpa-mortal")

# Longer than any test, so that it can be told to the last ID what is quarantined.
QUARANTINE_SEC = 86400
CONFIG = f"""[daemon]
state_dir = {DIRECTORY}/state
runtime_dir = {DIRECTORY}
[dbus]
enable = no
[resources]
quarantine_sec = {QUARANTINE_SEC}
"""


class Died(Exception):
    """The daemon is no more."""


class Mortal(PoolUser):
    def __init__(self):
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        DIRECTORY.mkdir()
        self.configure("")
        self.promises = Promises()
        self.database = DIRECTORY / "state/inventory.db"
        self.process = None
        self.connection = rest.Connection()
        self.lost = set()
        self.lock = threading.Lock()

    def configure(self, more):
        """What the next start finds in its configuration, beside what it needs."""
        (DIRECTORY / "hsvdpad.conf").write_text(CONFIG + more)

    def spawn(self, program=PROGRAM, **environment):
        with open(DIRECTORY / "log", "ab") as log:
            self.process = subprocess.Popen(
                [program, f"--config={DIRECTORY}/hsvdpad.conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **environment})

    def start(self, program=PROGRAM, **environment):
        self.spawn(program, **environment)
        vdpa.wait_for(self.is_ready)

    def is_ready(self):
        if self.process.poll() is not None:
            raise Died
        return rest.Api(rest.Connection().ask).is_ready()

    def wait(self):
        """For its end; returns the exit status."""
        process, self.process = self.process, None
        self.connection.close()
        return process.wait(2 * vdpa.DEADLINE)

    def stop(self):
        self.process.terminate()
        assert self.wait() == 0, self.log()

    def kill(self):
        self.process.kill()
        assert self.wait() == -signal.SIGKILL

    def log(self):
        path = DIRECTORY / "log"
        return path.read_text(errors="replace")[-8000:] if path.exists() else ""

    def ask(self, method, path, body=None, connection=None):
        """Returns the status and the JSON of the answer."""
        try:
            answer = (connection or self.connection).ask(method, path, json.dumps(body) if body else None)
        except (OSError, http.client.HTTPException) as error:
            raise Died from error
        return answer.status, json.loads(answer.body) if answer.body else None

    def call(self, method, name, spec=None, status=None, connection=None):
        """A request for a device, which is answered like that: else with what is usual."""
        with self.lock:
            self.promises.asked(method, name, spec)
        got, body = self.ask(method, f"/v1/devices/{name}", {"spec": spec} if spec else None, connection)
        with self.lock:
            assert self.promises.answered(method, name, got, body) is None
        assert got == status or status is None and got in (200, 201, 204), body

    def put(self, name, spec, status=None):
        self.call("PUT", name, spec, status)

    def patch(self, name, spec, status=None):
        self.call("PATCH", name, spec, status)

    def delete(self, name, status=None):
        self.call("DELETE", name, None, status)

    def device(self, name):
        return self.ask("GET", f"/v1/devices/{name}")[1]

    def sql(self, statement, *values):
        with sqlite3.connect(self.database) as database:
            assert database.execute(statement, values).rowcount == 1, statement
        database.close()

    def edit_spec(self, name, **changes):
        """A record of a spec that was not yet applied when the daemon died; it will be."""
        spec = {**audit.Inventory(self.database).devices[name]["spec"], **changes}
        self.sql("UPDATE device SET spec = ?, owner = '', mac = '', labels = '' WHERE name = ?", json.dumps(spec), name)
        for device in self.promises.names[name]:
            device.spec = spec

    def wait_for(self, function):
        vdpa.wait_for(function)

    def wait_idle(self):
        vdpa.wait_for(lambda: self.ask("GET", "/v1/host")[1]["operations"] == 0)

    def check(self, foreign=()):
        """Asserts that daemon, kernel and inventory agree, and that all that was promised is so. Returns the devices."""
        devices = agree(foreign=foreign, lost=self.lost)
        damages = audit.Audit(DIRECTORY / "state", url=f"unix:{rest.SOCKET}", quarantine_sec=QUARANTINE_SEC).run()
        assert damages == []
        assert self.promises.settle(devices) == ([], [])
        return devices

    def leave_nothing(self, foreign=()):
        """Deletes all; nothing may be left of it."""
        if self.has_pool():
            self.remove_pool()
        for name in sorted(self.promises.names):
            self.delete(name)
        self.lost = set()
        assert self.check(foreign) == {}

    def end(self):
        """Whatever the state it is in."""
        if self.process:
            self.process.kill()
            self.wait()
        for name in vdpa.names():
            vdpa.delete(name)
