# SPDX-License-Identifier: LGPL-2.1-or-later
"""The audit finds each kind of damage, made by hand in the files of a daemon, and nothing where nothing is wrong; and so
does what holds the daemon to its word."""

import json
import shutil
import sqlite3
import subprocess
import sys

import pytest

import audit
import simmodel
from conftest import daemons, temporary_directory
from promises import Promises
from support import net_spec, sim_section

QUARANTINE_SEC = 3600
CONFIG = f"[resources]\nquarantine_sec = {QUARANTINE_SEC}\n" + "".join(
    sim_section(handle, asid_kind="pasid", pci_function="0000:01:00.0") for handle in ("sim0", "sim1"))

ENDPOINT = {"uid": 107, "gid": 107, "mode": "0660"}
DEVICES = {
    "a": net_spec("02:00:00:00:00:2a", mgmtdev="sim0", endpoint=ENDPOINT),
    "b": net_spec("02:00:00:00:00:2b", mgmtdev="sim1", driver="virtio_vdpa"),
    "big": {"class": "block", "mgmtdev": "sim0", "num_vqs": 40},
    "c": {"class": "gpu", "mgmtdev": "sim1"},
}


class World:
    """What a daemon has left, in a directory of its own."""

    def __init__(self, directory):
        self.state_dir, self.runtime_dir = directory / "state", directory / "run"
        self.model_path = self.runtime_dir / simmodel.NAME

    def damages(self):
        return audit.Audit(self.state_dir, self.runtime_dir, quarantine_sec=QUARANTINE_SEC).look()

    def sql(self, statement, *values):
        with sqlite3.connect(self.state_dir / "inventory.db") as database:
            assert database.execute(statement, values).rowcount == 1, statement
        database.close()

    def poke(self, name, offset, data):
        """Overwrites bytes of the slot of a device."""
        slot = next(device.slot for device in simmodel.Model(self.model_path).devices if device.name == name)
        self.write(simmodel.DEVICES_AT + slot * simmodel.DEVICE.size + offset, data)

    def write(self, offset, data):
        with open(self.model_path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def device(self, name):
        return next(device for device in simmodel.Model(self.model_path).devices if device.name == name)


@pytest.fixture(scope="module")
def original():
    """What is copied for each test: a daemon's files after its end."""
    with daemons() as make:
        daemon = make(CONFIG)
        client = daemon.start()
        for name, spec in {**DEVICES, "gone": DEVICES["c"]}.items():
            spec = {key: value for key, value in spec.items() if key != "num_vqs"}
            if name == "big":
                spec = net_spec(max_vqp=16, mgmtdev="sim0")
            client.create(name, spec)
        client.delete("gone").expect(204)
        daemon.stop()
        yield daemon


@pytest.fixture
def world(original):
    with temporary_directory() as directory:
        shutil.copytree(original.state_dir, directory / "state")
        (directory / "run").mkdir()
        subprocess.run(["cp", "--sparse=always", original.runtime_dir / simmodel.NAME, directory / "run"], check=True)
        yield World(directory)


def test_nothing_is_found_where_nothing_is_wrong(world):
    assert world.damages() == []
    big = world.device("big")
    assert len(big.msis) > simmodel.MAP_WORDS and None not in big.msis


# Offsets in a slot.
STATE, MGMTDEV, MAC, DRIVER, MODE, UID, MAP, NAME = 0, 4, 16, 24, 26, 32, 52, 176


def map_word(number):
    return (number + 1).to_bytes(4, "little")


def same_name(world):
    world.poke("b", NAME, b"a\0")


def other_holder(world):
    number = world.device("a").asids[0]
    world.write(simmodel.TABLES_AT + number * 8, bytes(8))


def take_released(world):
    with sqlite3.connect(world.state_dir / "inventory.db") as database:
        (released,) = database.execute("SELECT asids FROM quarantine").fetchone()
    world.sql("UPDATE device SET asids = ? WHERE name = 'c'", released)


# What is done to the files, and what is said of it.
DAMAGES = {
    "record gone": (lambda w: w.sql("DELETE FROM device WHERE name = 'a'"), "leaked: a is there, and not recorded"),
    "device gone": (lambda w: w.poke("a", STATE, bytes(4)), "lost: a is recorded as ready, and not there"),
    "device under another name": (lambda w: w.poke("a", NAME, b"z"), "leaked: z is there, and not recorded"),
    "two devices of one name": (same_name, "hardware: a is there twice"),
    "intent left": (lambda w: w.sql("UPDATE device SET state = 'creating' WHERE name = 'a'"),
                    "inventory: a is creating, and nobody is at it"),
    "deletion left": (lambda w: w.sql("UPDATE device SET state = 'deleting' WHERE name = 'a'"),
                      "inventory: a is deleting, and nobody is at it"),
    "recorded elsewhere": (lambda w: w.sql("UPDATE device SET mgmtdev = 'sim1' WHERE name = 'a'"),
                           "leaked: a is on sim0, and recorded on sim1"),
    "holdings not recorded": (lambda w: w.sql("UPDATE device SET asids = '', msis = '' WHERE name = 'a'"),
                              "inventory: a is ready and holds nothing"),
    "failed, holds nothing, and is there": (
        lambda w: w.sql("UPDATE device SET asids = '', msis = '', state = 'failed' WHERE name = 'a'"),
        "leaked: a is there, and recorded as failed"),
    "one ASID recorded for two": (
        lambda w: w.sql("UPDATE device SET asids = (SELECT asids FROM device WHERE name = 'b') WHERE name = 'a'"), "inventory: asids "),
    "one uid for two": (lambda w: w.sql("UPDATE device SET uid = (SELECT uid FROM device WHERE name = 'b') WHERE name = 'a'"),
                        "inventory: a and b have one uid"),
    "held and released": (take_released, "inventory: asids "),
    "other ASID": (lambda w: w.poke("a", MAP, map_word(4000)), "changed: a: asids: "),
    "ASID of another": (lambda w: w.poke("a", MAP, map_word(w.device("b").asids[0])), "hardware: asids "),
    "other MSI entry": (lambda w: w.poke("c", MAP + 4, map_word(4000)), "changed: c: msis: "),
    "no MSI entry": (lambda w: w.poke("c", MAP + 4, bytes(4)), "changed: c: msis: "),
    "table without the holder": (other_holder, "hardware: asids "),
    "other MAC": (lambda w: w.poke("a", MAC, b"\2\0\0\0\0\1"), "changed: a: mac: '02:00:00:00:00:2a' is recorded"),
    "not bound": (lambda w: w.poke("a", DRIVER, b"\0"), "changed: a: driver: 'vhost_vdpa' is recorded, and None is so"),
    "other mode": (lambda w: w.poke("a", MODE, b"\0\0"), "changed: a: endpoint: "),
    "other owner": (lambda w: w.poke("a", UID, bytes(4)), "changed: a: endpoint: "),
    "other management device": (lambda w: w.poke("a", MGMTDEV, b"\1"), "leaked: a is on sim1, and recorded on sim0"),
    "no management device": (lambda w: w.poke("a", MGMTDEV, b"\x3f"), "hardware: a is on no management device"),
    "a fault": (lambda w: w.write(simmodel.MGMTDEVS_AT + 24, b"\1"), "hardware: sim0 has had 1 faults"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_found(world, damage):
    change, expected = DAMAGES[damage]
    change(world)
    damages = world.damages()
    assert any(found.startswith(expected) for found in damages), damages


# What is changed in the database behind a running daemon, and what is said of it.
TOLD = {
    "record gone": ("DELETE FROM device WHERE name = 'a'", "told: a is told of, and not recorded"),
    "record added": ("INSERT INTO device SELECT 'z', 'z' || substr(uid, 2), {rest} FROM device WHERE name = 'a'",
                     "told: z is recorded, and not told of"),
    "other uid": ("UPDATE device SET uid = 'z' WHERE name = 'a'", "told: a: uid: "),
    "other spec": ("UPDATE device SET spec = '{\"class\":\"net\"}' WHERE name = 'a'", "told: a: spec: "),
    "other state": ("UPDATE device SET state = 'lost' WHERE name = 'a'", "told: a: state: "),
    "other ASIDs": ("UPDATE device SET asids = '9000-9001' WHERE name = 'a'", "told: a: asids: "),
    "other MSI entries": ("UPDATE device SET msis = '9000-9001' WHERE name = 'a'", "told: a: msis: "),
    "quarantine forgotten": ("DELETE FROM quarantine", "quarantine: 0 asids of"),
}


@pytest.mark.parametrize("damage", TOLD)
def test_what_is_told_is_held_against_what_is_recorded(make_daemon, damage):
    statement, expected = TOLD[damage]
    daemon = make_daemon(CONFIG)
    client = daemon.start()
    for name in ("a", "gone"):
        client.create(name, net_spec())
    client.delete("gone").expect(204)
    auditor = audit.Audit(daemon.state_dir, daemon.runtime_dir, f"unix:{daemon.socket}", QUARANTINE_SEC)
    assert auditor.run() == []

    with sqlite3.connect(daemon.database) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(device)")]
        assert database.execute(statement.replace("{rest}", ", ".join(columns[2:]))).rowcount == 1
    database.close()
    damages = auditor.look()
    assert any(found.startswith(expected) for found in damages), damages


def test_as_a_program(world):
    command = [sys.executable, "-B", audit.__file__, f"--state-dir={world.state_dir}", f"--runtime-dir={world.runtime_dir}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "nothing is lost, and nothing has leaked\n"), done.stderr
    world.sql("DELETE FROM device WHERE name = 'a'")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "leaked: a is there" in done.stdout


def told(spec, uid="u1", asid=1):
    status = {"mgmtdev": "sim0", "asids": [{"asid": asid}], "msis": [{"entry": 1}]}
    return {"uid": uid, "spec": {"driver": "vhost_vdpa", **spec}, "status": status}


def promise(*requests):
    """Of (method, spec, status, body); status None: never answered."""
    promises = Promises()
    for method, spec, status, body in requests:
        promises.asked(method, "d", spec)
        if status:
            assert promises.answered(method, "d", status, body) is None
    return promises


NET = net_spec("02:00:00:00:00:2a")
MADE = ("PUT", NET, 201, told(NET))
PATCHED = net_spec("02:00:00:00:00:2b")


@pytest.mark.parametrize("requests, found, verdict", [
    ([MADE], told(NET), ""),
    ([MADE], None, "lost"),
    ([MADE], told(NET, uid="u2"), "lost"),
    ([MADE], told(NET, asid=2), "lost"),
    ([MADE], told(PATCHED), "lost"),
    ([("PUT", NET, None, None)], None, ""),
    ([("PUT", NET, None, None)], told(NET), ""),
    ([("PUT", NET, None, None)], told({"class": "gpu"}), "lost"),
    ([MADE, ("DELETE", None, 204, None)], None, ""),
    ([MADE, ("DELETE", None, 204, None)], told(NET), "extra"),
    ([MADE, ("DELETE", None, None, None)], None, ""),
    ([MADE, ("DELETE", None, None, None)], told(NET), ""),
    ([MADE, ("DELETE", None, None, None)], told(NET, uid="u2"), "lost"),
    ([MADE, ("PATCH", {"net": {"mac": "02:00:00:00:00:2b"}}, 200, told(PATCHED))], told(PATCHED), ""),
    ([MADE, ("PATCH", {"net": {"mac": "02:00:00:00:00:2b"}}, 200, told(PATCHED))], told(NET), "lost"),
    ([MADE, ("PATCH", {"net": {"mac": "02:00:00:00:00:2b"}}, None, None)], told(NET), ""),
    ([MADE, ("PATCH", {"net": {"mac": "02:00:00:00:00:2b"}}, None, None)], told(PATCHED), ""),
    ([], told(NET), "extra"),
])
def test_promises(requests, found, verdict):
    promises = promise(*json.loads(json.dumps(requests)))
    lost, extra = promises.settle({"d": found} if found else {})
    assert ("lost" if lost else "extra" if extra else "") == verdict
