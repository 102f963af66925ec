# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real reboot: what is persistent is there again, before the units that need it; the rest is cleaned up.

The machine runs this twice, once in each boot (see tests/kernel/README.md): the tests of the first prepare, those of the
second look at what has become of it.
"""

import json
import os
import pathlib

import pytest

import crowd
import service
import vdpa
from agreement import agree
from rest import Api, Connection, block, net

if not os.environ.get("HSVDPA_TEST_BOOT"):
    pytest.skip("wants a machine of its own, with HSVDPA_TEST_BOOT=1", allow_module_level=True)

BOOT = int(os.environ["HSVDPA_MACHINE_BOOT"])
before_the_reboot = pytest.mark.skipif(BOOT != 1, reason="is of the boot before")
after_the_reboot = pytest.mark.skipif(BOOT != 2, reason="is of the next boot")

N = 1000
N_BLOCK = 10
CONSUMERS = [f"d{n:04}" for n in range(0, 32, 4)]
FOREIGN = [f"foreign{n}" for n in range(3)]

NOTES = pathlib.Path("/var/lib/hsvdpa-test")
UNITS = pathlib.Path("/etc/systemd/system")
LATE = pathlib.Path("/etc/modprobe.d/hsvdpa-test.conf")

# Takes what it is to use from REST, when it starts, and uses it for good.
CONSUMER = """
import http.client, json, os, signal, socket, sys
name = sys.argv[1]
c = http.client.HTTPConnection("localhost")
c.sock = socket.socket(socket.AF_UNIX)
c.sock.connect("/run/hsvdpa/api.sock")
c.request("GET", "/v1/devices/" + name)
device = json.load(c.getresponse())
fd = os.open(device["status"]["endpoint"], os.O_RDWR)
device["boot_id"] = open("/proc/sys/kernel/random/boot_id").read().strip()
with open(f"/var/lib/hsvdpa-test/{name}.new", "w") as f:
    json.dump(device, f)
os.rename(f"/var/lib/hsvdpa-test/{name}.new", f"/var/lib/hsvdpa-test/{name}.json")
signal.pause()
"""
CONSUMER_UNIT = """
[Unit]
Wants=hsvdpa-restored.target
After=hsvdpa-restored.target
[Service]
ExecStart=/usr/bin/python3 -I /var/lib/hsvdpa-test/consumer.py %i
[Install]
WantedBy=multi-user.target
"""
# Takes the numbers that the daemon's devices had in the boot before.
FOREIGN_UNIT = """
[Unit]
After=systemd-modules-load.service
Before=hsvdpad.service
[Service]
Type=oneshot
RemainAfterExit=yes
""" + "".join(f"ExecStart=vdpa dev add name {name} mgmtdev vdpasim_net\n" for name in FOREIGN) + """
[Install]
WantedBy=multi-user.target
"""


def boot_id():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def same(device):
    """What is to be the same after a reboot."""
    status = device["status"]
    return {
        **{key: device[key] for key in ("name", "uid", "generation", "created", "spec")},
        **{key: status.get(key) for key in ("mgmtdev", "driver", "asids", "msis", "net")},
    }


def is_persistent(number):
    return number % 2 == 0


def consumers_notes():
    """What the consumers of this boot have found; all of them are at it."""
    def read():
        notes = [json.loads(path.read_text()) for name in CONSUMERS if (path := NOTES / f"{name}.json").exists()]
        return len(notes) == len(CONSUMERS) and all(note["boot_id"] == boot_id() for note in notes) and notes
    return {note["name"]: note for note in vdpa.wait_for(read)}


@before_the_reboot
def test_devices_are_made_and_used(api):
    NOTES.mkdir()
    (NOTES / "consumer.py").write_text(CONSUMER)
    (UNITS / "consumer@.service").write_text(CONSUMER_UNIT)
    (UNITS / "foreign.service").write_text(FOREIGN_UNIT)
    # In another order than that of their names.
    calls = [("put", f"d{n:04}", net(n, mtu=1400, persistent=is_persistent(n), endpoint={"uid": n, "gid": 1, "mode": "0640"}))
             for n in reversed(range(N))]
    calls += [("put", f"b{n:04}", block(persistent=is_persistent(n))) for n in range(N_BLOCK)]
    assert set(crowd.run(calls, clients=8).values()) == {201}
    service.systemctl("enable", service.UNIT, "foreign.service")
    service.systemctl("enable", "--now", *(f"consumer@{name}.service" for name in CONSUMERS))
    assert consumers_notes().keys() == set(CONSUMERS)
    (NOTES / "devices.json").write_text(json.dumps(agree(busy=set(CONSUMERS))))
    (NOTES / "boot_id").write_text(boot_id())
    # Its devices have no management device in the next boot, until it is loaded.
    LATE.parent.mkdir(exist_ok=True)
    LATE.write_text("install vdpa_sim_blk /bin/true\n")
    pathlib.Path("/hsvdpa-machine/reboot").touch()
    # What the fixture would take back is to be found by the next boot.
    os.sync()
    os._exit(0)


@after_the_reboot
def test_what_is_persistent_is_there_again():
    assert (NOTES / "boot_id").read_text() != boot_id()
    api, before = Api(Connection().ask), json.loads((NOTES / "devices.json").read_text())
    consumers = consumers_notes()
    after = api.devices()
    assert set(after) == {name for name in before if is_persistent(int(name[1:]))}
    for name, device in after.items():
        if name.startswith("d"):
            assert device["status"]["state"] == "ready" and same(device) == same(before[name])
        else:
            assert device["status"]["state"] == "lost" and device["status"]["reason"]["code"] == "mgmtdev-not-found"
    # Looked up anew: others have the numbers now.
    assert any(after[name]["status"]["endpoint"] != before[name]["status"]["endpoint"] for name in consumers)
    for name, note in consumers.items():
        assert same(note) == same(before[name]) and note["status"]["endpoint"] == after[name]["status"]["endpoint"]
    agree(foreign=FOREIGN, lost={name for name in after if name.startswith("b")}, absent={"vdpasim_blk"},
          busy=set(CONSUMERS))


@after_the_reboot
def test_the_rest_is_cleaned_up():
    before = json.loads((NOTES / "devices.json").read_text())
    dropped = {name for name in before if not is_persistent(int(name[1:]))}
    journal = service.journal()
    assert all(f"{name}: dropped: not persistent" in journal for name in dropped)
    names = vdpa.run("sqlite3", str(service.DATABASE), "SELECT name FROM device").split()
    assert not dropped & set(names)
    assert vdpa.run("sqlite3", str(service.DATABASE), "SELECT value FROM meta WHERE key = 'boot_id'").strip() == boot_id()


@after_the_reboot
def test_units_started_after_their_devices_were_there():
    def monotonic(unit, name):
        return int(service.systemctl("show", "--property", name, "--value", unit))
    ready = monotonic("hsvdpa-restored.target", "ActiveEnterTimestampMonotonic")
    assert ready > 0
    for name in CONSUMERS:
        assert monotonic(f"consumer@{name}.service", "ExecMainStartTimestampMonotonic") >= ready


@after_the_reboot
def test_devices_are_in_use_by_their_units():
    api = Api(Connection().ask)
    for name in CONSUMERS:
        pid = int(service.systemctl("show", "--property", "MainPID", "--value", f"consumer@{name}.service"))
        status = api.get(f"/v1/devices/{name}?in_use=true").expect(200).json["status"]
        assert status["in_use"] is True and [holder["pid"] for holder in status["holders"]] == [pid]
    holders = api.delete(CONSUMERS[0]).expect(409, "in-use").json["holders"]
    assert holders[0]["comm"] == "python3"


@after_the_reboot
def test_late_management_device_gets_its_devices():
    api, before = Api(Connection().ask), json.loads((NOTES / "devices.json").read_text())
    names = [f"b{n:04}" for n in range(N_BLOCK) if is_persistent(n)]
    LATE.unlink()
    vdpa.run("modprobe", "vdpa_sim_blk")
    vdpa.wait_for(lambda: all(api.state(name) == "ready" for name in names))
    after = agree(foreign=FOREIGN, busy=set(CONSUMERS))
    assert all(same(after[name]) == same(before[name]) for name in names)


@after_the_reboot
def test_another_start_changes_nothing():
    before = agree(foreign=FOREIGN, busy=set(CONSUMERS))
    service.restart()
    assert agree(foreign=FOREIGN, busy=set(CONSUMERS)) == before
    service.systemctl("stop", *(f"consumer@{name}.service" for name in CONSUMERS))
    assert set(crowd.run([("delete", name) for name in before]).values()) == {204}
    for name in FOREIGN:
        vdpa.delete(name)
    assert agree() == {}
