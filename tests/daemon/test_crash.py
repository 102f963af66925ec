# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 in the middle of the work, again and again.

What was acknowledged is so after the next start; what was not is whole, or not there; nothing is left over.
"""

import json
import random
import selectors

from contract import CONTRACT
from support import CRASH_ROUNDS, net_spec, poll, scaled, sim_section

HANDLES = ("pci/0000:01:00.0", "auxiliary/mlx5_core.sf.4", "sim0")
CONFIG = "".join(sim_section(handle, classes="net,block,gpu", latency_usec=1000) for handle in HANDLES)

N_REQUESTS = scaled(200)

SPECS = [
    net_spec(owner="vm:1", labels={"a": "b"}),
    net_spec("02:00:00:00:00:2a", mtu=9000, max_vqp=2, driver="virtio_vdpa"),
    {"class": "block", "persistent": False},
    {"class": "gpu", "endpoint": {"uid": 107, "gid": 107, "mode": "0660"}},
]


class Request:
    """One of the many that are under way at a time, on a connection of its own."""

    def __init__(self, method, name, body=None):
        self.method = method
        self.name = name
        self.body = json.dumps(body).encode() if body else b""
        self.answer = None

    def send(self, client):
        header = f"{self.method} /v1/devices/{self.name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        if self.body:
            header += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        self.raw = client.raw()
        self.raw.send(header.encode() + b"\r\n" + self.body)

    def read(self):
        """Reads the answer if there is one; the daemon may have died before."""
        with self.raw:
            try:
                self.answer = self.raw.answer(self.method)
            except OSError:  # http.client's own for an answer that was cut short among them
                return
        headers = {"Content-Type": "application/json"}
        CONTRACT.check(self.method, f"/v1/devices/{self.name}", headers, self.body, self.answer)


def send_all(client, requests):
    """Sends them all; yields each when it is answered, or its connection has ended."""
    with selectors.DefaultSelector() as selector:
        for request in requests:
            request.send(client)
            selector.register(request.raw.sock, selectors.EVENT_READ, request)
        while selector.get_map():
            for key, _ in selector.select():
                selector.unregister(key.fileobj)
                key.data.read()
                yield key.data


class Ledger:
    """What is known of the devices: those that are there, and for each what else may have come of it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.devices = {}  # name -> as it was seen last
        self.counter = 0

    def make_requests(self):
        names = self.random.sample(sorted(self.devices), min(len(self.devices), 3 * N_REQUESTS // 5))
        changes = names[: len(names) // 4]
        requests = [Request("PATCH", name, {"spec": self._change(name)}) for name in changes]
        requests += [Request("DELETE", name) for name in names[len(changes):]]
        while len(requests) < N_REQUESTS:
            self.counter += 1
            spec = self.random.choice(SPECS)
            requests.append(Request("PUT", f"d{self.counter:05}", {"spec": spec}))
        self.random.shuffle(requests)
        return requests

    def _change(self, name):
        change = {"owner": f"vm:{self.random.randrange(1000)}"}
        if "mac" in self.devices[name]["spec"].get("net", {}):
            change["net"] = {"mac": f"02:00:00:00:00:{self.random.randrange(256):02x}"}
        return change

    def settle(self, requests, found):
        """Holds what is found against what was acknowledged, and takes it for known."""
        requested = {request.name: request for request in requests}
        for name in sorted(self.devices.keys() | found.keys() | requested.keys()):
            before, now, request = self.devices.get(name), found.get(name), requested.get(name)
            if request is None:
                assert now == before, name
            else:
                getattr(self, f"_settle_{request.method.lower()}")(request, before, now)
        self.devices = found

    def _settle_put(self, request, _, now):
        if request.answer:
            assert_same(request.answer.expect(201).json, now)

    def _settle_delete(self, request, before, now):
        if request.answer:
            request.answer.expect(204)
            assert now is None, request.name
        elif now:
            assert_same(before, now)

    def _settle_patch(self, request, before, now):
        if request.answer:
            assert_same(request.answer.expect(200).json, now)
        elif now["spec"] != before["spec"]:
            patch = json.loads(request.body)["spec"]
            if "net" in patch:
                patch["net"] = {**before["spec"]["net"], **patch["net"]}
            assert now["spec"] == {**before["spec"], **patch}
        assert (now["uid"], now["created"]) == (before["uid"], before["created"])
        if "mac" in now["spec"].get("net", {}):
            assert now["status"]["net"]["mac"] == now["spec"]["net"]["mac"]


def assert_same(before, now):
    """Only the revision may have grown, where the daemon had to find out what it knew before."""
    assert now and now["revision"] >= before["revision"]
    assert now == {**before, "revision": now["revision"]}


def assert_whole(client):
    """Every device is ready, and the budgets, the counts and the backend agree. Returns the devices."""
    devices = client.devices()
    assert {device["status"]["state"] for device in devices.values()} <= {"ready"}
    assert all(device["status"]["endpoint"] for device in devices.values())
    endpoints = [device["status"]["endpoint"] for device in devices.values()]
    assert len(endpoints) == len(set(endpoints))

    mgmtdevs = client.get("/v1/mgmtdevs").expect(200).json["items"]
    assert [mgmtdev["foreign_devices"] for mgmtdev in mgmtdevs] == [0] * len(HANDLES)
    used = {mgmtdev["handle"]: mgmtdev["budgets"]["devices"]["used"] for mgmtdev in mgmtdevs}
    placed = [device["status"]["mgmtdev"] for device in devices.values()]
    assert used == {handle: placed.count(handle) for handle in HANDLES}
    counts = client.host()["devices"]
    assert counts["total"] == counts["ready"] == len(devices) and counts["foreign"] == 0
    return devices


def crash_in_start(daemon, chance):
    """Kills it at some point of its start: before it listens, or while it looks at what there is."""
    while chance.random() < 0.5:
        daemon.spawn()
        for _ in range(chance.randrange(4)):
            daemon.is_ready()
        daemon.kill9()


def test_kill9(make_daemon):
    daemon = make_daemon(CONFIG)
    client = daemon.start()
    ledger = Ledger(seed=1)
    for _ in range(CRASH_ROUNDS):
        requests = ledger.make_requests()
        deadline = ledger.random.randrange(N_REQUESTS)
        for i, _ in enumerate(send_all(client, requests)):
            if i == deadline:
                daemon.kill9()
        assert sum(request.answer is not None for request in requests) > deadline

        crash_in_start(daemon, ledger.random)
        client = daemon.start()
        found = assert_whole(client)
        ledger.settle(requests, found)
        # A second start changes nothing.
        client = daemon.restart()
        assert assert_whole(client) == found


def test_kill9_before_anything_is_answered(make_daemon):
    """The intents are on the disk, and the backend has made some of it, or none."""
    daemon = make_daemon(CONFIG)
    chance = random.Random(2)
    for i in range(CRASH_ROUNDS):
        client = daemon.start()
        requests = [Request("PUT", f"d{i}-{k}", {"spec": chance.choice(SPECS)}) for k in range(scaled(40))]
        before = client.host()["devices"]["total"]
        for request in requests:
            request.send(client)
        more = chance.randrange(1, len(requests))
        poll("intents", lambda: client.host()["devices"]["total"] >= before + more)
        daemon.kill9()
        for request in requests:
            request.read()
        client = daemon.start()
        found = assert_whole(client)
        assert len(found) >= before
        for request in requests:
            if request.answer:
                assert_same(request.answer.expect(201).json, found.get(request.name))
        daemon.stop()


def test_sigterm_under_load(make_daemon):
    """What is under way is finished and answered; then the daemon ends, well."""
    daemon = make_daemon(sim_section("sim0", latency_usec=5000))
    client = daemon.start()
    requests = [Request("PUT", f"d{i}", {"spec": SPECS[i % len(SPECS)]}) for i in range(scaled(100))]
    answered = send_all(client, requests)
    answered_first = next(answered)
    poll("request under way", lambda: client.host()["operations"] >= len(requests) // 2)
    daemon.terminate()
    assert len([answered_first, *answered]) == len(requests)
    assert daemon.wait() == 0

    # Those that came too late for it were told so.
    made = {request.name for request in requests if request.answer and request.answer.status == 201}
    late = [request.answer for request in requests if request.answer and request.answer.status != 201]
    assert len(made) >= len(requests) // 2
    assert all(answer.expect(503, "shutting-down") for answer in late)
    assert set(daemon.start().devices(state="ready")) == made


def test_sigterm_when_the_backend_is_stuck(make_daemon):
    """It is not waited for without end; what is unfinished is finished by the next start."""
    latency = sim_section("sim0", latency_usec=60_000_000)
    daemon = make_daemon("[daemon]\nstop_timeout_sec = 1\n" + latency)
    client = daemon.start()
    request = Request("PUT", "d", {"spec": {"class": "gpu"}})
    request.send(client)
    poll("creation", lambda: client.devices(state="creating"))
    daemon.terminate()
    assert daemon.wait() == 1
    request.read()
    request.answer.expect(503, "shutting-down")
    assert "not through" in daemon.log()

    daemon.configure("")
    assert list(daemon.start().devices(state="ready")) == ["d"]
