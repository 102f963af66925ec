# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl against a real daemon: it shows what REST answers, and its exit codes tell what went wrong."""

import subprocess
import uuid

import pytest
import yaml

from ctl import NOT_FOUND, PROGRAM, REFUSED, UNREACHABLE, USAGE, Ctl, table
from support import DEADLINE, sim_section

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")

CONFIG = (
    sim_section("pci/0000:01:00.0", classes="net,block", max_devices=2, numa_node=1)
    + sim_section("sim0", classes="net")
)

@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon(CONFIG)
    daemon.start()
    return daemon


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


def test_host(ctl, client):
    client.create("d", {"class": "net"})
    host = client.host()
    assert ctl.json("host") == ctl.json("host", "show") == host
    text = ctl("host")
    for value in (host["version"], host["kernel"], host["boot_id"], "sim"):
        assert value in text


def test_mgmtdev(ctl, client):
    client.create("d", {"class": "block"})
    assert ctl.json("mgmtdev", "list") == client.get("/v1/mgmtdevs").json
    rows = table(ctl("mgmtdev", "list"))
    assert [(row["HANDLE"], row["DEVICES"]) for row in rows] == [("pci/0000:01:00.0", "1"), ("sim0", "0")]
    for handle in ("pci/0000:01:00.0", "sim0"):
        assert ctl.json("mgmtdev", "show", handle) == client.mgmtdev(handle)
        assert handle in ctl("mgmtdev", "show", handle)
    assert "mgmtdev-not-found" in ctl("mgmtdev", "show", "none", expect=NOT_FOUND)


def test_create(ctl, client):
    arguments = [
        "device", "create", "d", "--class=net", "--mgmtdev=sim0", "--driver=virtio_vdpa",
        "--mac=02:00:00:00:00:2a", "--mtu=9000", "--max-vqp=2", "--features=MAC,MTU,MQ,VERSION_1",
        "--owner=vm:1", "--label=a=b", "--label=c=d=e", "--endpoint=0:7:0660", "--no-persistent",
    ]
    first = ctl(*arguments)
    assert first.startswith("d: created; ready on sim0")
    assert client.device("d")["spec"] == {
        "class": "net", "mgmtdev": "sim0", "driver": "virtio_vdpa",
        "net": {"mac": "02:00:00:00:00:2a", "mtu": 9000, "max_vqp": 2},
        "features": ["MTU", "MAC", "MQ", "VERSION_1"], "owner": "vm:1", "labels": {"a": "b", "c": "d=e"},
        "endpoint": {"uid": 0, "gid": 7, "mode": "0660"}, "persistent": False, "lease_seconds": 0,
    }
    assert ctl(*arguments).startswith("d: is there already")
    assert ctl.json(*arguments) == client.device("d")
    assert "already-exists" in ctl("device", "create", "d", "--class=net", expect=REFUSED)

    generated = ctl.json("device", "create", "--class=block")
    assert client.device(generated["name"]) == generated


LISTINGS = [
    (["--class=net"], "ac"),
    (["--owner=vm:1"], "a"),
    (["--label=x=2"], "c"),
    (["--prefix=b"], "b"),
    (["--limit=2"], "ab"),
    (["--class=net", "--label=x=1"], "a"),
    (["--state=failed"], ""),
    (["--mgmtdev=none"], ""),
]


def test_list(ctl, client):
    specs = {"a": {"class": "net", "owner": "vm:1", "labels": {"x": "1"}}, "b": {"class": "block"},
             "c": {"class": "net", "labels": {"x": "2"}}}
    for name, spec in specs.items():
        client.create(name, spec)
    listing = ctl.json("device", "list")
    assert {device["name"]: device for device in listing["items"]} == client.devices()
    assert listing["revision"] == client.revision()
    rows = table(ctl("device", "list"))
    assert [(row["NAME"], row["STATE"], row["CLASS"]) for row in rows] == [
        (name, "ready", spec["class"]) for name, spec in specs.items()]

    for options, names in LISTINGS:
        assert [device["name"] for device in ctl.json("device", "list", *options)["items"]] == list(names)


def test_a_list_of_several_pages(make_daemon):
    """The daemon gives a thousand at a time at the most."""
    daemon = make_daemon()
    client = daemon.start()
    names = [f"d{i:04}" for i in range(1003)]
    for name in names:
        client.put(name, {"class": "gpu"})
    ctl = Ctl(daemon.socket)
    assert [device["name"] for device in ctl.json("device", "list")["items"]] == names
    assert [row["NAME"] for row in table(ctl("device", "list"))] == names


def test_show_and_stats(ctl, client):
    device = client.create("d", {"class": "net", "labels": {"tenant": "a"}})
    assert ctl.json("device", "show", "d") == device
    text = ctl("device", "show", "d")
    status = device["status"]
    for value in (device["uid"], "ready", status["endpoint"], status["net"]["mac"], "tenant"):
        assert value in text
    assert ctl.json("device", "stats", "d") == client.get("/v1/devices/d/stats").json
    assert "received_desc" in ctl("device", "stats", "d")
    for verb in ("show", "stats"):
        assert "device-not-found" in ctl("device", verb, "none", expect=NOT_FOUND)


def test_what_a_device_holds(ctl, client):
    client.create("other", {"class": "net"})
    status = client.create("d", {"class": "net"})["status"]
    lines = dict(line.split(":", 1) for line in ctl("device", "show", "d").splitlines())
    asids, entries = ([item[key] for item in status[kind]] for kind, key in (("asids", "asid"), ("msis", "entry")))
    assert lines["ASIDs"].strip() == f"group 0-1: {asids[0]}-{asids[1]} ({status['asids'][0]['kind']})"
    last = len(entries) - 2
    assert lines["MSI entries"].strip() == f"vq 0-{last}: {entries[0]}-{entries[last]}, config: {entries[-1]}"
    assert lines["  shared"].strip() == "no"


def test_plan(ctl, client):
    text = ctl("device", "create", "d", "--class=block", "--dry-run")
    assert "d: would be created on pci/0000:01:00.0" in text and "devices=1" in text
    plan = ctl.json("device", "create", "d", "--class=block", "--dry-run")
    assert plan["mgmtdev"] == "pci/0000:01:00.0" and client.devices() == {}
    refusal = ctl("device", "create", "d", "--class=fs", "--dry-run", expect=REFUSED)
    assert "\n  pci/0000:01:00.0: " in refusal and "\n  sim0: " in refusal
    ctl("device", "create", "d", "--class=block")
    assert "d: is there already" in ctl("device", "create", "d", "--class=block", "--dry-run")


def test_placement(ctl, client):
    ctl("device", "create", "d", "--class=block", "--vqs=2", "--msi-policy=shared", "--placement=pack", "--numa-node=1")
    spec = client.device("d")["spec"]
    assert (spec["vqs"], spec["msi_policy"]) == (2, "shared")
    assert spec["placement"] == {"policy": "pack", "numa_node": 1}
    complaint = ctl("device", "create", "e", "--class=net", "--mgmtdev-label=rack=1", expect=REFUSED)
    assert "unsatisfiable" in complaint or "no-capacity" in complaint


def test_set(ctl, client):
    client.create("d", {"class": "net", "owner": "a", "labels": {"x": "1", "y": "2"}})
    ctl("device", "set", "d", "--mac=02:00:00:00:00:2b", "--owner=b", "--label=z=3", "--no-label=x")
    device = client.device("d")
    assert device["status"]["net"]["mac"] == "02:00:00:00:00:2b"
    assert (device["spec"]["owner"], device["spec"]["labels"]) == ("b", {"y": "2", "z": "3"})
    ctl("device", "set", "d", "--no-owner")
    assert "owner" not in client.device("d")["spec"]
    assert ctl.json("device", "set", "d", "--owner=c") == client.device("d")
    ctl("device", "set", "none", "--owner=c", expect=NOT_FOUND)


def test_delete(ctl, client, daemon):
    uid = client.create("a", {"class": "net"})["uid"]
    for name in "bcd":
        client.create(name, {"class": "net"} if name != "b" else {"class": "block"})
    other = str(uuid.UUID(int=uuid.UUID(uid).int ^ 1))
    assert "precondition-failed" in ctl("device", "delete", "a", f"--uid={other}", expect=REFUSED)
    ctl("device", "delete", "a", f"--uid={uid}")
    ctl("device", "delete", "b", "c")
    assert list(client.devices()) == ["d"]
    ctl("device", "delete", "a", expect=NOT_FOUND)
    ctl("device", "delete", "a", "--missing-ok")

    endpoint = daemon.runtime_dir / "sim-open/d"
    endpoint.mkdir()
    assert "in-use" in ctl("device", "delete", "d", expect=REFUSED)
    endpoint.rmdir()
    ctl("device", "delete", "d")


REFUSALS = [
    (["--class=net", "--mac=01:00:00:00:00:00", "--mtu=1"], ["/spec/net/mac", "/spec/net/mtu"]),
    (["--class=gpu"], ["/spec/class"]),
    (["--class=net", "--mgmtdev=none"], ["/spec/mgmtdev"]),
]


@pytest.mark.parametrize("arguments, pointers", REFUSALS)
def test_a_refusal_names_the_places(ctl, client, arguments, pointers):
    complaint = ctl("device", "create", "d", *arguments, expect=REFUSED)
    assert all(pointer in complaint for pointer in pointers)
    assert client.devices() == {}


USAGES = [
    "", "bogus", "device", "device bogus", "device show", "device show a b", "--bogus host", "device delete",
    "device create d", "device create d --class=net --mtu=x", "device set d", "device list --limit=0",
    "host -o xml", "host --color=blue", "--url=ftp://x host", "--timeout=0 host",
]


@pytest.mark.parametrize("line", USAGES)
def test_a_wrong_command_line(ctl, line):
    ctl(*line.split(), expect=USAGE)


def test_formats(ctl, client):
    device = client.create("d", {"class": "net", "net": {"mac": "12:00:00:00:00:20"}, "labels": {"no": "1e3"}})
    assert yaml.safe_load(ctl("device", "show", "d", "-o", "yaml")) == device
    assert yaml.safe_load(ctl("device", "list", "-o", "yaml"))["items"] == [device]
    assert yaml.safe_load(ctl("mgmtdev", "list", "--output=yaml")) == client.get("/v1/mgmtdevs").json
    (row,) = table(ctl("device", "list", "-o", "wide"))
    assert row["UID"] == device["uid"]
    assert "UID" not in ctl("device", "list", "-o", "table")


def test_colours(ctl, client):
    client.create("d", {"class": "net"})
    assert "\033[32mready" in ctl("device", "list", "--color=always")
    for color in ("auto", "never"):
        assert "\033" not in ctl("device", "list", f"--color={color}")


def test_without_a_daemon(ctl, daemon):
    daemon.stop()
    assert str(daemon.socket) in ctl("host", expect=UNREACHABLE)


def test_the_url_on_the_command_line_counts(daemon):
    elsewhere = Ctl("/nonexistent")
    elsewhere("host", expect=UNREACHABLE)
    elsewhere("host", f"--url=unix:{daemon.socket}")


def test_help_and_version(ctl, client):
    assert ctl("--version") == f"hsvdpactl {client.host()['version']}\n"
    for arguments in ([], ["device"], ["device", "create"]):
        assert ctl(*arguments, "--help").startswith("Usage: hsvdpactl")


def test_an_output_that_cannot_be_written(ctl):
    with open("/dev/full", "w", encoding="ascii") as full:
        command = [PROGRAM, "host"]
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, env=ctl.environment, timeout=DEADLINE, check=False
        )
    assert result.returncode == 6 and b"Cannot write" in result.stderr
