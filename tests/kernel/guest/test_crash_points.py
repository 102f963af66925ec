# SPDX-License-Identifier: LGPL-2.1-or-later
"""The crash matrix on the real kernel: the daemon dies at each named point (crash-points.def) in each scenario that comes
by it, and everything that was promised is so after the next start; nothing is lost, nothing leaks.

In the default run each point that only this backend has, once, and some others; with HSVDPA_TEST_LONG=1 all points, in all scenarios, each
time that they are reached.
"""

import collections
import os
import pathlib
import re
import signal
import subprocess

import pytest

import rest
import service
import vdpa
import vhost
from mortal import CRASH_PROGRAM, DIRECTORY, Died, Mortal
from rest import block, net

pytestmark = pytest.mark.skipif(
    not os.path.exists(CRASH_PROGRAM), reason="hsvdpad-crash is not installed (make install-crash)")

LONG = os.environ.get("HSVDPA_TEST_LONG", "") not in ("", "0")

ENDPOINT = {"uid": 107, "gid": 107, "mode": "0660"}
NET = net(1, mtu=1400, endpoint=ENDPOINT)
VIRTIO = net(2, driver="virtio_vdpa")
BLOCK = block()

# What takes a backend that fails as only a simulated one does when it is told to; the code there is the same for both.
ONLY_SIMULATED = {"CREATE_BEFORE_FAILURE", "CREATE_AFTER_FAILURE", "CREATE_AFTER_MOVE", "HOLDER_BEFORE_RELEASE",
                  "HOLDER_AFTER_RELEASE"}


def is_autoprobed():
    return pathlib.Path("/sys/bus/vdpa/drivers_autoprobe").read_text().strip() == "1"


class Scenario:
    """As those of the simulated backend: prepare goes well, between is without a daemon, in act it dies; then is after the
    next start. Others than the daemon may have devices, too."""

    foreign = ()
    # Points of both backends at which it dies in the default run, too, each time that they are reached.
    always = ()

    def prepare(self, daemon):
        """With a daemon that has an inventory already. None: it is the first start."""

    def between(self, daemon):
        """When the daemon of the preparation has ended."""

    def act(self, daemon):
        """May be ended by Died at any call."""

    def after(self, daemon):
        """Before the start after the death."""

    def then(self, daemon):
        """After it."""


class FirstStart(Scenario):
    prepare = None


class Create(Scenario):
    def act(self, daemon):
        daemon.put("a", NET)
        daemon.put("b", VIRTIO)
        daemon.put("c", BLOCK)


class CreateFails(Scenario):
    """Someone else has a device of that name."""

    foreign = ("foreign",)
    always = ("STORE_BEFORE_COMMIT", "STORE_AFTER_COMMIT", "MACHINE_BEFORE_CREATE")

    def prepare(self, daemon):
        vdpa.add("foreign", "vdpasim_net")
        self.before = self.look()

    def act(self, daemon):
        daemon.put("foreign", NET, 409)

    def then(self, daemon):
        # What was asked for may be done now, once the name is free: it is not. To delete what has become of the request
        # is nothing to the device.
        device = daemon.device("foreign")
        is_recorded = "uid" in device
        assert not is_recorded or device["status"]["state"] == "failed" and not device["status"]["asids"]
        daemon.delete("foreign", 204 if is_recorded else 404)
        daemon.promises.names["foreign"] = [None]
        assert self.look() == self.before

    @staticmethod
    def look():
        """The device, and its node: made again, it would have another number."""
        path = vdpa.vhost_node("foreign")
        node = os.stat(path)
        return os.stat("/sys/bus/vdpa/devices/foreign/").st_ino, path, node.st_uid, node.st_gid, node.st_mode


class CreateIsUndone(Scenario):
    """The driver is gone when it comes to that."""

    def act(self, daemon):
        vdpa.run("modprobe", "-r", "virtio_vdpa")
        daemon.put("a", VIRTIO, 503)

    def after(self, daemon):
        vdpa.run("modprobe", "virtio_vdpa")


class Delete(Scenario):
    def prepare(self, daemon):
        daemon.put("a", NET)
        daemon.put("b", VIRTIO)

    def act(self, daemon):
        daemon.delete("a")
        daemon.delete("b")


class DeleteInUse(Scenario):
    def prepare(self, daemon):
        daemon.put("a", NET)

    def act(self, daemon):
        with vhost.opened(daemon.device("a")["status"]["endpoint"]):
            daemon.delete("a", 409)


class Update(Scenario):
    def prepare(self, daemon):
        daemon.put("a", NET)
        daemon.put("b", VIRTIO)

    def act(self, daemon):
        daemon.patch("a", {"net": {"mac": "02:00:00:00:01:01"}, "owner": "vm:1"})
        daemon.patch("b", {"net": {"mac": "02:00:00:00:01:02"}})


class Grow(Scenario):
    """Without the feature of a control virtqueue none is planned for, and the simulator makes one all the same."""

    def act(self, daemon):
        daemon.put("a", net(1, features=["MAC", "VERSION_1", "ACCESS_PLATFORM"]))


class Card(Scenario):
    """A real driver, which does not set addresses in place."""

    def prepare(self, daemon):
        daemon.handle = vdpa.bind_pci_nic(vdpa.pci_nics()[0])

    def act(self, daemon):
        daemon.put("card", net(mgmtdev=daemon.handle))
        daemon.patch("card", {"owner": "vm:1", "net": {"mac": "02:00:00:00:01:01"}}, 422)

    def then(self, daemon):
        """The client had no answer: it asks again, and makes do with what there is."""
        card = daemon.device("card")
        if card.get("spec", {}).get("net") and card["spec"]["net"]["mac"] != card["status"]["net"]["mac"]:
            daemon.patch("card", {"net": {"mac": card["spec"]["net"]["mac"]}}, 422)
            daemon.patch("card", {"net": {"mac": card["status"]["net"]["mac"]}})


class Cordon(Scenario):
    def act(self, daemon):
        assert daemon.ask("PATCH", "/v1/mgmtdevs/vdpasim_net", {"cordoned": True})[0] == 200


class Pool(Scenario):
    """One is filled, claimed from, given back to, and removed."""

    always = ("CLAIM_BEFORE_RECORD", "CLAIM_AFTER_RECORD", "MACHINE_AFTER_SCRUB", "RETURN_BEFORE_RECORD")

    def act(self, daemon):
        spec = {"device": {"class": "net", "endpoint": ENDPOINT}, "low": 1, "high": 2}
        assert daemon.ask("PUT", "/v1/pools/p", {"spec": spec})[0] == 201
        daemon.wait_for_pool(2)
        name = daemon.claim({"owner": "vm:1", "net": {"mac": NET["net"]["mac"]}, "endpoint": {"uid": 1}})
        daemon.give_back(name)
        daemon.claim({"owner": "vm:1"})
        daemon.remove_pool()

    def then(self, daemon):
        daemon.wait_for_pool(2 if daemon.has_pool() else 0)
        daemon.recognize_claims("vm:1")


class Restart(Scenario):
    """Over all that a daemon can have left half done."""

    def prepare(self, daemon):
        for number, name in enumerate(("creating", "reserved", "deleting", "driver", "mac", "unmade", "vanished")):
            daemon.put(name, net(number, endpoint=ENDPOINT))

    def between(self, daemon):
        for name in ("creating", "reserved", "deleting"):
            daemon.sql("UPDATE device SET state = ? WHERE name = ?", name, name)
        daemon.sql("UPDATE device SET state = 'creating' WHERE name = 'unmade'")
        daemon.promises.names["deleting"] = [None]
        daemon.edit_spec("driver", driver="virtio_vdpa")
        daemon.edit_spec("mac", net={"mac": "02:00:00:00:00:77"})
        for name in ("unmade", "vanished"):
            vdpa.delete(name)
        daemon.lost = {"vanished"}


class Exclusive(Scenario):
    """The bus is the daemon's alone, and everyone's again afterwards."""

    def prepare(self, daemon):
        daemon.configure("[kernel]\nexclusive = yes\n")

    def act(self, daemon):
        assert not is_autoprobed()
        daemon.put("a", VIRTIO)
        daemon.put("b", NET)

    def after(self, daemon):
        daemon.configure("")

    def then(self, daemon):
        assert is_autoprobed() and not (DIRECTORY / "autoprobe-is-off").exists()


class Boot(Scenario):
    """The kernel has no device any more, and another boot ID."""

    def prepare(self, daemon):
        daemon.put("persistent", NET)
        daemon.put("transient", {**VIRTIO, "persistent": False})

    def between(self, daemon):
        daemon.sql("UPDATE meta SET value = '0b7c5a6e-52a1-4f55-9d2c-6f5d1ab7ff01' WHERE key = 'boot_id'")
        for name in ("persistent", "transient"):
            vdpa.delete(name)
        daemon.promises.names["transient"] = [None]


SCENARIOS = {
    kind.__name__: kind() for kind in (
        FirstStart, Create, CreateFails, CreateIsUndone, Delete, DeleteInUse, Update, Grow, Card, Cordon, Pool, Restart,
        Exclusive,
        Boot,
    )
}


def play(scenario, daemon, **environment):
    """The scenario up to its end, or to the daemon's."""
    if scenario.prepare:
        daemon.start()
        scenario.prepare(daemon)
        daemon.wait_idle()
        daemon.stop()
        scenario.between(daemon)
    try:
        daemon.start(CRASH_PROGRAM, **environment)
        scenario.act(daemon)
        daemon.wait_idle()
    except Died:
        pass
    if daemon.process.poll() is None:
        daemon.process.terminate()
    status = daemon.wait()
    scenario.after(daemon)
    return status


def recover(scenario, daemon):
    """Starts the daemon that died in the scenario again, twice, and looks at it; and lets nothing be left."""
    daemon.start()
    scenario.then(daemon)
    before = daemon.check(scenario.foreign)
    daemon.stop()
    daemon.start()
    assert daemon.check(scenario.foreign) == before
    daemon.leave_nothing(scenario.foreign)
    daemon.stop()


def read_points():
    line = re.compile(r"^DEFINE\((\w+), (any|sim|kernel), ", re.MULTILINE)
    return dict(line.findall(pathlib.Path("crash-points.def").read_text()))


POINTS = {name: where for name, where in read_points().items() if where != "sim" and name not in ONLY_SIMULATED}
TRACES = {}


@pytest.fixture
def make_daemon(monkeypatch):
    """Makes daemons one after the other; there is no other on the host, and no device."""
    service.wipe()
    monkeypatch.setattr(rest, "SOCKET", f"{DIRECTORY}/api.sock")
    made = []

    def make():
        close()
        made.append(Mortal())
        return made[-1]

    def close():
        while made:
            daemon = made.pop()
            print(f"--- log of the daemon\n{daemon.log()}")
            daemon.end()
        give_back_card()

    try:
        yield make
    finally:
        close()


def give_back_card():
    for address in vdpa.pci_nics()[:1]:
        vdpa.bind_pci_nic(address, "virtio-pci")


def trace(name, make_daemon):
    """The points that the scenario comes by, and how often each."""
    if name not in TRACES:
        path = DIRECTORY / "trace"
        assert play(SCENARIOS[name], make_daemon(), HSVDPA_CRASH_TRACE=str(path)) == 0
        TRACES[name] = collections.Counter(path.read_text().split())
    return TRACES[name]


def scenarios():
    return [name for name in SCENARIOS if name != "Card" or vdpa.pci_nics()]


def die(name, point, n, make_daemon):
    daemon = make_daemon()
    try:
        status = play(SCENARIOS[name], daemon, HSVDPA_CRASH=f"{point}:{n}")
        if status == 0:
            assert n > 1, "was not reached"
            return 0
        assert status == -signal.SIGKILL
        recover(SCENARIOS[name], daemon)
    except (AssertionError, Died, RuntimeError, TimeoutError, subprocess.TimeoutExpired) as error:
        raise AssertionError(f"{name}, {point}, time {n}: {error!r}\n{daemon.log()}") from error
    return 1


def is_played(name, point, make_daemon):
    if point not in POINTS:
        return False
    first = next(other for other in scenarios() if point in trace(other, make_daemon))
    return LONG or point in SCENARIOS[name].always or POINTS[point] == "kernel" and first == name


def test_every_point_is_reached(make_daemon):
    """Who adds a point finds a scenario for it, or makes one."""
    reached = set().union(*(trace(name, make_daemon) for name in scenarios()))
    without_card = set() if vdpa.pci_nics() else {"UPDATE_BEFORE_REVERSION", "UPDATE_AFTER_REVERSION"}
    assert POINTS.keys() - reached <= without_card


@pytest.mark.parametrize("name", SCENARIOS)
def test_matrix(make_daemon, name):
    if name not in scenarios():
        pytest.skip("the machine runs without --pci-nic")
    played = [point for point in trace(name, make_daemon) if is_played(name, point, make_daemon)]
    n_deaths = 0
    for point in played:
        is_whole = LONG or point in SCENARIOS[name].always
        for n in range(1, (TRACES[name][point] if is_whole else 1) + 1):
            n_deaths += die(name, point, n, make_daemon)
    print(f"{name}: died {n_deaths} times, at {len(played)} points")
