# SPDX-License-Identifier: LGPL-2.1-or-later
"""The inventory is checked, repaired, and made anew from what is on the host."""

import json
import random
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from ctl import Ctl
from daemon import EXIT_DATABASE, EXIT_OTHER_DAEMON, EXIT_USAGE
from support import net_spec

NET = {"class": "net"}
CLEAN, REPAIRED, LEFT, OPERATIONAL = 0, 1, 4, 8

NAMES = [f"d{i:02}" for i in range(12)]


@pytest.fixture(scope="module")
def template(shared_daemon):
    client = shared_daemon.client()
    for name in NAMES:
        client.create(name, net_spec(owner="x" * 250, labels={f"k{i}": "v" * 200 for i in range(4)}))
    client.request("PATCH", "/v1/mgmtdevs/sim0", {"labels": {"a": "b"}}).expect(200)
    client.create("gone", NET)
    client.delete("gone").expect(204)
    shared_daemon.stop()
    return shared_daemon.directory


@pytest.fixture
def stopped(template, make_daemon):
    daemon = make_daemon()
    shutil.copytree(template / "state", daemon.state_dir)
    daemon.runtime_dir.mkdir()
    # Gigabytes of hole.
    hardware = [template / "run/sim.shm", template / "run/sim-open"]
    subprocess.run(["cp", "-r", "--sparse=always", *hardware, daemon.runtime_dir], check=True)
    return daemon


def execute(daemon, sql):
    with closing(sqlite3.connect(daemon.database, isolation_level=None)) as connection:
        connection.executescript(sql)


def fsck(daemon, *arguments, status):
    """The problems that are told."""
    result = daemon.run("--fsck", "--json", *arguments)
    assert result.returncode == status, result.stdout + result.stderr
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test_a_clean_one(stopped):
    before = stopped.database.read_bytes()
    assert fsck(stopped, status=CLEAN) == []
    assert fsck(stopped, "--repair", status=CLEAN) == []
    assert stopped.database.read_bytes() == before
    assert stopped.run("--fsck").stdout == ""
    assert stopped.start().devices().keys() == set(NAMES)


def test_a_daemon_that_runs(stopped):
    stopped.start()
    assert "Another hsvdpad" in stopped.run("--fsck").stderr
    fsck(stopped, "--repair", status=OPERATIONAL)


def test_no_database(make_daemon):
    daemon = make_daemon()
    fsck(daemon, status=OPERATIONAL)
    daemon.state_dir.mkdir()
    fsck(daemon, status=OPERATIONAL)


@pytest.mark.parametrize("arguments", [("--repair",), ("--json",), ("--fsck", "--rebuild"), ("--fsck", "--prefix=a"),
                                       ("--restore=x", "--force"), ("--fsck", "--restore=x"), ("--prefix=a",)])
def test_wrong_options(stopped, arguments):
    assert stopped.run(*arguments).returncode == EXIT_USAGE


# What is done to the database, which record is told of, and which devices a repair leaves out.
BAD = {
    "spec": ("UPDATE device SET spec = '{' WHERE name = 'd07'", ("device", "d07"), {"d07"}),
    "spec of another": ("""UPDATE device SET spec = '{"class":"net","x":1}' WHERE name = 'd07'""", ("device", "d07"),
                        {"d07"}),
    "MAC address": ("UPDATE device SET mac = 'x' WHERE name = 'd07'", ("device", "d07"), {"d07"}),
    "owner": ("UPDATE device SET owner = CAST(x'ff' AS TEXT) WHERE name = 'd07'", ("device", "d07"), {"d07"}),
    "labels": ("UPDATE device SET labels = '[' WHERE name = 'd07'", ("device", "d07"), {"d07"}),
    "state": ("UPDATE device SET state = 'x' WHERE name = 'd07'", ("device", "d07"), {"d07"}),
    "name": ("UPDATE device SET name = '../d07' WHERE name = 'd07'", ("device", "../d07"), {"d07"}),
    "handle": ("UPDATE device SET mgmtdev = '../x' WHERE name = 'd07'", ("device", "d07"), {"d07"}),
    "number": ("UPDATE device SET generation = -1 WHERE name = 'd07'", ("device", "d07"), {"d07"}),
    "uid": ("UPDATE device SET uid = 'x' WHERE name = 'd07'", ("device", "d07"), set()),
    "uid twice": ("UPDATE device SET uid = (SELECT uid FROM device WHERE name = 'd06') WHERE name = 'd07'",
                  ("device", "d07"), set()),
    "holder": (f"UPDATE device SET holder = '{'x' * 200}' WHERE name = 'd07'", ("device", "d07"), set()),
    "IDs": ("UPDATE device SET asids = '5-3' WHERE name = 'd07'", ("device", "d07"), set()),
    "IDs twice": ("UPDATE device SET asids = (SELECT asids FROM device WHERE name = 'd06') WHERE name = 'd07'",
                  ("device", "d07"), set()),
    "entries twice": ("UPDATE device SET msis = (SELECT msis FROM device WHERE name = 'd06') WHERE name = 'd07'",
                      ("device", "d07"), set()),
    "settings": ("UPDATE mgmtdev SET labels = '['", ("mgmtdev", "sim0"), set()),
    "settings of nothing": ("UPDATE mgmtdev SET handle = '../x'", ("mgmtdev", "../x"), set()),
    "pool": ("INSERT INTO pool VALUES ('p', '01890a5d-ac96-774b-bcce-b302099a8057', 0, '{}')", ("pool", "p"), set()),
    "pool's name": ("INSERT INTO pool VALUES ('P', '01890a5d-ac96-774b-bcce-b302099a8057', 0, "
                    "'{\"device\":{\"class\":\"net\"},\"high\":1}')", ("pool", "P"), set()),
    "pool before all times": ("INSERT INTO pool VALUES ('p', '01890a5d-ac96-774b-bcce-b302099a8057', -1, "
                              "'{\"device\":{\"class\":\"net\"},\"high\":1}')", ("pool", "p"), set()),
    "released": ("UPDATE quarantine SET asids = 'x'", ("quarantine", None), set()),
    "receipt": ("INSERT INTO receipt VALUES (1000000, 'k', 'x', 'd', '', 'done', '', 0)", ("receipt", "1000000"), set()),
    "tombstone": ("INSERT INTO tombstone VALUES (1000000, 'D', 'x', 0)", ("tombstone", "1000000"), set()),
    "no time": ("DELETE FROM clock", ("clock", ""), set()),
    "revision": ("UPDATE meta SET value = '1' WHERE key = 'revision'", ("meta", ""), set()),
    "no revision": ("DELETE FROM meta WHERE key = 'revision'", ("meta", ""), set()),
    "no boot": ("DELETE FROM meta WHERE key = 'boot_id'", ("meta", ""), set()),
}


@pytest.mark.parametrize("sql, told, left_out", BAD.values(), ids=BAD)
def test_a_bad_record(stopped, sql, told, left_out):
    execute(stopped, sql)
    before = stopped.database.read_bytes()
    found = fsck(stopped, status=LEFT)
    assert {(p["table"], p["key"] if told[1] is not None else None) for p in found} == {told}, found
    assert not any(p["repaired"] for p in found)
    assert stopped.database.read_bytes() == before
    lines = stopped.run("--fsck").stdout.splitlines()
    assert len(lines) == len(found) and lines[0].startswith(told[0])

    found = fsck(stopped, "--repair", status=REPAIRED)
    assert found and all(p["repaired"] for p in found)
    copy, = stopped.state_dir.glob("inventory.db.2*")
    assert copy.read_bytes() == before
    fsck(stopped, status=CLEAN)
    client = stopped.start()
    assert client.devices().keys() == set(NAMES) - left_out
    assert client.host()["devices"]["foreign"] == len(left_out)
    if told[0] == "mgmtdev" and told[1] == "sim0":
        assert client.mgmtdev("sim0")["cordoned"]
    else:
        client.create("new", NET)
    stopped.kill9()


def damage_pages(path, pages):
    data = bytearray(path.read_bytes())
    for page in pages:
        data[page * 4096:(page + 1) * 4096] = random.Random(page).randbytes(4096)
    path.write_bytes(data)


def count_pages(path):
    return path.stat().st_size // 4096


def test_damaged_pages(stopped):
    """Each but the first, one at a time: what can be read is saved, and the rest is on the host still."""
    good = stopped.database.read_bytes()
    n_saved = 0
    for page in range(1, count_pages(stopped.database), 4):
        stopped.database.write_bytes(good)
        damage_pages(stopped.database, [page])
        bad = stopped.database.read_bytes()
        problems = fsck(stopped, status=LEFT)
        assert {p["table"] for p in problems} == {"structure"}
        assert stopped.database.read_bytes() == bad
        result = stopped.run("--fsck", "--repair")
        assert result.returncode in (REPAIRED, REPAIRED | LEFT), result.stderr
        fsck(stopped, status=CLEAN)
        with closing(sqlite3.connect(stopped.database)) as connection:
            n_saved += connection.execute("SELECT count(*) FROM device").fetchone()[0]
    assert n_saved > 0


def test_cut_off(stopped):
    """Within a page, of which the rest is read as zeros: no other check need see that."""
    data = stopped.database.read_bytes()
    stopped.database.write_bytes(data[:-1])
    assert {(p["table"], p["problem"]) for p in fsck(stopped, status=LEFT)} >= {("structure", "the file is cut off within a page")}
    assert stopped.run(f"--restore={stopped.database}").returncode == EXIT_DATABASE
    assert stopped.database.read_bytes() == data[:-1]
    assert fsck(stopped, "--repair", status=REPAIRED)
    fsck(stopped, status=CLEAN)
    assert set(NAMES) >= stopped.start().devices().keys() >= set(NAMES[:-1])


def test_damage_that_cannot_be_repaired(stopped):
    stopped.database.write_bytes(b"x" * 8192)
    result = stopped.run("--fsck", "--repair")
    assert result.returncode == LEFT
    assert "--restore" in result.stderr and "--rebuild" in result.stderr
    assert stopped.database.read_bytes() == b"x" * 8192


def test_a_start_says_what_to_do(stopped):
    execute(stopped, "UPDATE device SET spec = '{' WHERE name = 'd07'")
    result = stopped.run()
    for option in ("--fsck", "--repair", "--restore", "--rebuild"):
        assert option in result.stderr


def rebuild(daemon, *arguments, status=0):
    result = daemon.run("--rebuild", *arguments)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_a_rebuild(daemon, client):
    """All that can be seen is there again, and what cannot is empty."""
    before = {
        "vm1": client.create("vm1", net_spec("02:00:00:00:00:2a", mtu=9000, owner="a", labels={"b": "c"})),
        "vm2": client.create("vm2", net_spec("02:00:00:00:00:2b", max_vqp=4)),
        "disk": client.create("disk", {"class": "block", "driver": "virtio_vdpa"}),
    }
    revision = client.revision()
    assert "Another hsvdpad" in rebuild(daemon, status=EXIT_OTHER_DAEMON)
    daemon.kill9()
    assert "--force" in rebuild(daemon, status=1)
    shutil.rmtree(daemon.state_dir)
    text = rebuild(daemon)
    assert "3 devices are in the inventory, 0 are left" in text

    client = daemon.start()
    after = client.devices(state="ready")
    assert after.keys() == before.keys()
    for name, device in after.items():
        for key in ("mgmtdev", "driver", "endpoint", "net", "features", "asids", "msis"):
            assert device["status"].get(key) == before[name]["status"].get(key)
        assert device["spec"].get("owner") is None and device["spec"]["persistent"]
    assert after["vm1"]["spec"]["net"] == before["vm1"]["spec"]["net"]
    assert after["vm2"]["spec"]["net"] == before["vm2"]["spec"]["net"]
    assert client.host()["devices"]["foreign"] == 0
    assert client.revision() > revision
    for name in after:
        client.delete(name).expect(204)
    daemon.stop()


def test_a_rebuild_of_some(daemon, client):
    for name in ("vm1", "vm2", "other"):
        client.create(name, NET)
    daemon.stop()
    text = rebuild(daemon, "--prefix=vm", "--force")
    assert "other: left" in text and "kept" in text
    client = daemon.start()
    assert client.devices().keys() == {"vm1", "vm2"}
    assert client.host()["devices"]["foreign"] == 1
    client.put("other", NET).expect(409, "foreign-device")


def test_a_rebuild_of_a_damaged_one(stopped):
    stopped.database.write_bytes(b"x" * 8192)
    rebuild(stopped)
    copy, = stopped.state_dir.glob("inventory.db.2*")
    assert copy.read_bytes() == b"x" * 8192
    assert stopped.start().devices(state="ready").keys() == set(NAMES)
    assert Ctl(stopped.socket)("device", "list").count("ready") == len(NAMES)
