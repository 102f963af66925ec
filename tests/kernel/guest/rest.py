# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon's REST interface, for tests in the test machine.

One request at a time goes through curl(1), as a user's would, and through no client of ours. Where many are to be under
way at once, a process for each would be most of the work: there it is Python's own http.client.
"""

import http.client
import json
import re
import socket
import subprocess
import time

import vdpa

SOCKET = "/run/hsvdpa/api.sock"
JSON = {"Content-Type": "application/json"}

# A handle that no host has. Who names it makes the daemon look at the host again before it refuses.
NO_MGMTDEV = "nosuch/mgmtdev"

# After looking for somebody's sake the daemon does not do it again for so many seconds, and a little more.
LOOK_INTERVAL = 0.25


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def detail(self):
        return self.json["detail"]

    def pointers(self):
        """Where the daemon has found faults."""
        return [fault["pointer"] for fault in self.json.get("errors", [])]

    def expect(self, status, code=None, *pointers):
        """Asserts what the answer is; returns it."""
        assert self.status == status, f"{self.status}, and not {status}: {self.body}"
        assert code is None or self.json["code"] == code, self.body
        assert not pointers or self.pointers() == list(pointers), self.body
        return self


def curl(method, path, body=None, headers=None, timeout=vdpa.DEADLINE):
    """One request by curl(1). What it is answered with is an Answer; no answer is a RuntimeError."""
    command = ["curl", "--silent", "--show-error", "--max-time", str(timeout), "--unix-socket", SOCKET]
    command += ["--request", method, "--dump-header", "/dev/stderr"]
    for name, value in {**(JSON if body else {}), **(headers or {})}.items():
        command += ["--header", f"{name}: {value}"]
    if body:
        command += ["--data-binary", body]

    done = subprocess.run([*command, f"http://localhost{path}"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"curl: status {done.returncode}: {done.stderr.strip()}")
    # "100 Continue" has a head, too.
    first, *fields = done.stderr.strip().split("\n\n")[-1].splitlines()
    fields = dict(re.split(r":\s*", field, maxsplit=1) for field in fields)
    return Answer(int(first.split()[1]), fields, done.stdout)


class Connection(http.client.HTTPConnection):
    """A connection that can be used for one request after the other; its ask() is like curl()."""

    def __init__(self, timeout=vdpa.DEADLINE):
        super().__init__("localhost", timeout=timeout)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)

    def ask(self, method, path, body=None, headers=None):
        self.request(method, path, body, {**(JSON if body else {}), **(headers or {})})
        response = self.getresponse()
        return Answer(response.status, dict(response.headers), response.read().decode())


class Api:
    """The requests of the interface, made by ask: curl, or the method of a Connection."""

    _looked = 0

    def __init__(self, ask=curl):
        self.ask = ask

    def get(self, path):
        return self.ask("GET", path)

    def put(self, name, spec):
        return self.ask("PUT", f"/v1/devices/{name}", json.dumps({"spec": spec}))

    def patch(self, name, spec):
        return self.ask("PATCH", f"/v1/devices/{name}", json.dumps({"spec": spec}))

    def delete(self, name, query=""):
        return self.ask("DELETE", f"/v1/devices/{name}{query}")

    def create(self, name, spec):
        return self.put(name, spec).expect(201).json

    def device(self, name):
        return self.get(f"/v1/devices/{name}").expect(200).json

    def state(self, name):
        return self.device(name)["status"]["state"]

    def devices(self):
        """All devices, by name."""
        found, page = {}, {"continue": ""}
        while "continue" in page:
            more = f"&continue={page['continue']}" if page["continue"] else ""
            page = self.get(f"/v1/devices?limit=1000{more}").expect(200).json
            for device in page["items"]:
                assert device["name"] not in found
                found[device["name"]] = device
        return found

    def mgmtdevs(self):
        """All management devices, by handle."""
        return {mgmtdev["handle"]: mgmtdev for mgmtdev in self.get("/v1/mgmtdevs").expect(200).json["items"]}

    def host(self):
        return self.get("/v1/host").expect(200).json

    def is_ready(self):
        """Whether the daemon takes work; False also if there is none."""
        try:
            return self.get("/readyz").status == 200
        except (RuntimeError, OSError, http.client.HTTPException):
            return False

    def look(self):
        """Makes the daemon look at the host now, and not only when the time has come. It does not do so twice at a time."""
        time.sleep(max(0, Api._looked + LOOK_INTERVAL - time.monotonic()))
        self.put("look", net(mgmtdev=NO_MGMTDEV)).expect(422, "unsatisfiable", "/spec/mgmtdev")
        Api._looked = time.monotonic()

    def wait_idle(self):
        """Waits until nothing is under way."""
        return vdpa.wait_for(lambda: (host := self.host())["operations"] == 0 and host)


def mac(number):
    """A MAC address of its own for each number."""
    return f"02:00:00:00:{number >> 8:02x}:{number & 0xff:02x}"


def net(number=None, mtu=None, mgmtdev="vdpasim_net", **spec):
    """The spec of a net device, with the MAC address mac(number); what is None is left out."""
    members = {"mac": None if number is None else mac(number), "mtu": mtu}
    members = {key: value for key, value in members.items() if value is not None}
    return {"class": "net", "mgmtdev": mgmtdev, **({"net": members} if members else {}), **spec}


def block(mgmtdev="vdpasim_blk", **spec):
    """The spec of a block device."""
    return {"class": "block", "mgmtdev": mgmtdev, **spec}
