# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon is doing when it dies: the lines of the crash matrix.

Each scenario has a part that goes well (prepare), and one in which the daemon dies at a point (act). Both say to the
world what they ask for, so that it knows what was promised.
"""

import http.client
import json
import sqlite3

from jeepney.wrappers import DBusErrorResponse

import audit
import simmodel
from bus import MANAGER, ROOT, BusError, dictionary
from client import Connection, connect
from daemon import CRASH_PROGRAM, PROGRAM
from outside import Outside
from promises import PoolUser, Promises
from support import net_spec, poll, sim_section

# Longer than any test, so that it can be told to the last ID what is quarantined.
QUARANTINE_SEC = 86400
QUARANTINE = f"[resources]\nquarantine_sec = {QUARANTINE_SEC}\n"

ENDPOINT = {"uid": 107, "gid": 107, "mode": "0660"}
NET = net_spec("02:00:00:00:00:2a", endpoint=ENDPOINT)
VIRTIO = net_spec("02:00:00:00:00:2b", mtu=9000, max_vqp=16, driver="virtio_vdpa")
GPU = {"class": "gpu", "persistent": False}


def sim(*handles, **keys):
    return QUARANTINE + "".join(sim_section(handle, **keys) for handle in handles or ("sim0",))


class Died(Exception):
    """The daemon is no more."""


class World(PoolUser):
    """One daemon, and what it has promised."""

    def __init__(self, daemon, bus=None):
        self.daemon = daemon
        self.bus = bus
        self.promises = Promises()
        self.cordoned = [False]
        self.connection = None
        self.foreign = {}  # what others have made: all that there is to see of it, by name

    def start(self, program=PROGRAM, **environment):
        self.daemon.program = program
        self.daemon.spawn(**environment)
        poll("ready daemon", self.is_ready)
        self.connection = Connection(connect(self.daemon.socket))

    def is_ready(self):
        """Raises Died as soon as it has ended."""
        if self.daemon.process.poll() is not None:
            raise Died
        try:
            if self.daemon.client().get("/readyz").status != 200:
                return False
            return not self.bus or self.daemon.is_on_bus()
        except (OSError, http.client.HTTPException):
            return False

    def stop(self):
        self.connection.close()
        self.daemon.stop()

    def ask(self, method, path, body=None):
        """Returns the status and the JSON of the answer."""
        headers = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
        try:
            self.connection.request(method, path, json.dumps(body) if body else None, headers if body else {})
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Died from error
        return answer.status, json.loads(text) if text else None

    def call(self, method, name, spec=None, status=None):
        """A request for a device, which is answered like that: else with what is usual."""
        self.promises.asked(method, name, spec)
        got, body = self.ask(method, f"/v1/devices/{name}", {"spec": spec} if spec else None)
        assert self.promises.answered(method, name, got, body) is None
        assert got == status or status is None and got in (200, 201, 204), body

    def put(self, name, spec, status=None):
        self.call("PUT", name, spec, status)

    def delete(self, name, status=None):
        self.call("DELETE", name, None, status)

    def patch(self, name, spec, status=None):
        self.call("PATCH", name, spec, status)

    def wait_for(self, function):
        poll("pool", function)

    def wait_idle(self):
        """Until nothing more follows from what was asked for."""
        poll("rest", lambda: self.ask("GET", "/v1/host")[1]["operations"] == 0)

    def sql(self, statement, *values):
        with sqlite3.connect(self.daemon.database) as database:
            assert database.execute(statement, values).rowcount == 1, statement
        database.close()

    def edit_spec(self, name, **changes):
        """A record of a spec that was not yet applied when the daemon died; it will be."""
        spec = {**audit.Inventory(self.daemon.database).devices[name]["spec"], **changes}
        self.sql("UPDATE device SET spec = ?, owner = '', mac = '', labels = '' WHERE name = ?", json.dumps(spec), name)
        for device in self.promises.names[name]:
            device.spec = spec

    def open(self, name, is_open=True):
        path = self.daemon.runtime_dir / "sim-open" / name
        if is_open:
            path.mkdir()
        elif path.exists():
            path.rmdir()

    def hold(self, connection, name, spec):
        """A creation over D-Bus of a device that goes with the connection."""
        self.promises.asked("PUT", name, spec)
        try:
            connection.call(ROOT, MANAGER, "CreateDevice", "sa{sv}a{sv}", name, dictionary(spec),
                            dictionary({"until-disconnect": True}))
        except (BusError, DBusErrorResponse) as error:
            raise Died from error

    def audit(self):
        """Asserts that all that was promised is so, and nothing beside it. Returns the devices."""
        daemon = self.daemon
        auditor = audit.Audit(daemon.state_dir, daemon.runtime_dir, f"unix:{daemon.socket}", QUARANTINE_SEC, self.foreign)
        assert auditor.run() == []
        assert self.promises.settle(auditor.devices) == ([], [])
        assert self.ask("GET", "/v1/mgmtdevs")[1]["items"][0]["cordoned"] in self.cordoned
        return auditor.devices

    def leave_nothing(self):
        """Deletes all; nothing may be left of it."""
        if self.has_pool():
            self.remove_pool()
        for name in sorted(self.promises.names):
            self.delete(name)
        assert self.audit() == {}
        left = simmodel.Model(self.daemon.runtime_dir / simmodel.NAME).devices
        assert {device.name for device in left} == self.foreign.keys()
        with Outside(self.daemon) as outside:
            assert {name: outside.show(name) for name in self.foreign} == self.foreign


class Scenario:
    """config is that of the preparation, act_config that of the daemon that dies; the one after it has no faults."""

    config = sim()
    act_config = None
    needs_bus = False

    def prepare(self, world):
        """With a daemon that has an inventory already. No preparation: it is the first start."""

    def between(self, world):
        """When the daemon of the preparation has ended."""

    def act(self, world):
        """May be ended by Died at any call."""

    def after(self, world):
        """Before the start after the death."""

    def then(self, world):
        """After it."""


class FirstStart(Scenario):
    config = sim("sim0", "sim1")
    prepare = None


class Create(Scenario):
    def act(self, world):
        for name, spec in (("a", NET), ("b", VIRTIO), ("c", GPU), ("a", NET)):
            world.put(name, spec)


class CreateFails(Scenario):
    """The second one, at the last but one step; and is undone."""

    act_config = sim(fail_publish=2)

    def act(self, world):
        world.put("a", NET)
        world.put("b", VIRTIO, 502)


class CreateOfForeign(Scenario):
    """Someone else has a device of that name: it stays theirs, and as it is."""

    def prepare(self, world):
        with Outside(world.daemon) as outside:
            outside.add("foreign", "sim0", NET)
            world.foreign = {"foreign": outside.show("foreign")}

    def act(self, world):
        world.put("foreign", NET, 409)


class CreateCannotBeUndone(Scenario):
    act_config = sim(fail_bind=1, fail_destroy=1)

    def act(self, world):
        world.put("a", NET, 502)


class CreateAgain(Scenario):
    """What has failed and was left over."""

    config = sim(fail_bind=1, fail_destroy=1)
    act_config = sim()

    def prepare(self, world):
        world.put("a", NET, 502)

    def act(self, world):
        world.put("a", NET)


class CreateElsewhere(Scenario):
    """Where it was is no more."""

    act_config = sim("sim1")

    def prepare(self, world):
        world.put("a", NET)

    def between(self, world):
        # It holds other things there.
        for device in world.promises.names["a"]:
            device.held = None

    def act(self, world):
        world.put("a", NET)


class Delete(Scenario):
    def prepare(self, world):
        for name, spec in (("a", NET), ("b", VIRTIO), ("c", GPU)):
            world.put(name, spec)

    def act(self, world):
        world.delete("a")
        world.delete("b")


class DeleteInUse(Scenario):
    def prepare(self, world):
        world.put("a", NET)

    def act(self, world):
        world.open("a")
        world.delete("a", 409)

    def after(self, world):
        world.open("a", False)


class DeleteFails(Scenario):
    act_config = sim(fail_destroy=1)

    def prepare(self, world):
        world.put("a", NET)

    def act(self, world):
        world.delete("a", 502)


class Update(Scenario):
    def prepare(self, world):
        world.put("a", NET)

    def act(self, world):
        world.patch("a", {"net": {"mac": "02:00:00:00:00:01"}, "owner": "vm:1"})
        world.patch("a", {"labels": {"b": "c"}})


class UpdateFails(Scenario):
    act_config = sim(fail_set_mac=1)

    def prepare(self, world):
        world.put("a", NET)

    def act(self, world):
        world.patch("a", {"net": {"mac": "02:00:00:00:00:01"}}, 502)


class Cordon(Scenario):
    def act(self, world):
        world.cordoned = [False, True]
        assert world.ask("PATCH", "/v1/mgmtdevs/sim0", {"cordoned": True})[0] == 200
        world.cordoned = [True]


class HolderGoes(Scenario):
    """Its devices go, also if the daemon dies over it."""

    needs_bus = True

    def act(self, world):
        with world.bus.connect() as connection:
            for name, spec in (("a", NET), ("b", VIRTIO)):
                world.hold(connection, name, spec)
        self.then(world)
        for name in ("a", "b"):
            world.promises.names[name] = [None]

    def then(self, world):
        poll("release", lambda: not world.ask("GET", "/v1/devices")[1]["items"])
        for name in world.promises.names:
            world.promises.names[name] = [None]


class Pool(Scenario):
    """One is filled, claimed from, given back to, and removed. No device is anybody's but who was told, or may have been."""

    def act(self, world):
        spec = {"device": {"class": "net", "endpoint": ENDPOINT}, "low": 1, "high": 2}
        assert world.ask("PUT", "/v1/pools/p", {"spec": spec})[0] == 201
        world.wait_for_pool(2)
        name = world.claim({"owner": "vm:1", "net": NET["net"], "endpoint": {"uid": 1}})
        world.give_back(name)
        world.claim({"owner": "vm:1"})
        world.remove_pool()

    def then(self, world):
        world.wait_for_pool(2 if world.has_pool() else 0)
        world.recognize_claims("vm:1")


class Restart(Scenario):
    """Over all that a daemon can have left half done."""

    def prepare(self, world):
        for name in ("creating", "reserved", "deleting", "driver", "left", "ready"):
            world.put(name, VIRTIO if name == "driver" else GPU)
        world.put("mac", NET)
        world.put("vanished", NET)
        world.put("unmade", NET)

    def between(self, world):
        for name in ("creating", "reserved", "deleting"):
            world.sql("UPDATE device SET state = ? WHERE name = ?", name, name)
        world.sql("UPDATE device SET state = 'creating' WHERE name = 'unmade'")
        world.promises.names["deleting"] = [None]
        world.edit_spec("driver", driver="vhost_vdpa")
        world.edit_spec("mac", net={**NET["net"], "mac": "02:00:00:00:00:77"})
        model = world.daemon.runtime_dir / simmodel.NAME
        slots = {device.name: device.slot for device in simmodel.Model(model).devices}
        with open(model, "r+b") as file:
            for name in ("vanished", "unmade"):
                file.seek(simmodel.DEVICES_AT + slots[name] * simmodel.DEVICE.size)
                file.write(bytes(4))

    def then(self, world):
        states = {device["name"]: device["status"]["state"] for device in world.ask("GET", "/v1/devices")[1]["items"]}
        assert states.pop("vanished") == "lost"
        assert set(states.values()) == {"ready"}


class Boot(Scenario):
    """The hardware has lost all, and the host another boot ID."""

    def prepare(self, world):
        world.put("persistent", NET)
        world.put("virtio", VIRTIO)
        world.put("transient", GPU)

    def between(self, world):
        world.sql("UPDATE meta SET value = '0b7c5a6e-52a1-4f55-9d2c-6f5d1ab7ff01' WHERE key = 'boot_id'")
        (world.daemon.runtime_dir / simmodel.NAME).unlink()
        world.promises.names["transient"] = [None]

    def then(self, world):
        poll("boot ID", lambda: audit.Inventory(world.daemon.database).meta["boot_id"] ==
             world.ask("GET", "/v1/host")[1]["boot_id"])


SCENARIOS = {
    kind.__name__: kind() for kind in (
        FirstStart, Create, CreateFails, CreateOfForeign, CreateCannotBeUndone, CreateAgain, CreateElsewhere, Delete,
        DeleteInUse, DeleteFails, Update, UpdateFails, Cordon, HolderGoes, Pool, Restart, Boot,
    )
}


def play(scenario, world, **environment):
    """The scenario up to its end, or to the daemon's: True."""
    if scenario.prepare:
        world.daemon.configure(scenario.config)
        world.start()
        scenario.prepare(world)
        world.wait_idle()
        world.stop()
        scenario.between(world)
    world.daemon.configure(scenario.act_config or scenario.config)
    try:
        world.start(CRASH_PROGRAM, **environment)
        scenario.act(world)
        world.wait_idle()
    except Died:
        return True
    return False


def without_faults(config):
    return "".join(line for line in config.splitlines(True) if not line.startswith("fail_"))


def recover(scenario, world):
    """Starts the daemon that died in the scenario again, twice, and looks at it; and lets nothing be left."""
    scenario.after(world)
    world.daemon.configure(without_faults(scenario.act_config or scenario.config))
    world.start()
    scenario.then(world)
    before = world.audit()
    world.stop()
    world.start()
    assert world.audit() == before
    world.leave_nothing()
    world.stop()
