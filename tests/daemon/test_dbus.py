# SPDX-License-Identifier: LGPL-2.1-or-later
"""The D-Bus interface: what it has that REST has not. busctl is the witness that the values are D-Bus' own."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

import pytest

pytest.importorskip("jeepney", reason="there is no jeepney (Debian: python3-jeepney)")

from bus import (  # noqa: E402
    DEVICE, MANAGER, MGMTDEV, NAME, ROOT, Bus, BusClient, BusDaemon, BusError, dictionary, fixture_bus,  # noqa: F401
    plain,
)
from conftest import daemons, temporary_directory  # noqa: E402
from fake_polkit import FakePolkit  # noqa: E402
from support import DEADLINE, TREE, net_spec, patient, poll, scaled, sim_section  # noqa: E402

NET = {"class": "net"}
LIMITS_EXCEEDED = "org.freedesktop.DBus.Error.LimitsExceeded"
ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"


@pytest.fixture
def make_daemon(bus):
    with daemons(lambda directory, config: BusDaemon(directory, config, bus)) as make:
        yield make


@pytest.fixture
def connection(daemon, bus):
    with bus.connect() as connection:
        yield connection


def create(connection, name, spec=NET, options=None):
    return connection.manager("CreateDevice", "sa{sv}a{sv}", name, dictionary(spec), dictionary(options or {}))


def delete(connection, name):
    connection.manager("DeleteDevice", "sa{sv}", name, {})


# The contract, both ways.


def members(interface):
    """What an interface has, in a form that does not hang on the order of members and attributes."""
    return {
        (member.tag, member.get("name"), member.get("type"), member.get("access")): [
            (part.tag, part.get("name"), part.get("type") or part.get("value"),
             part.get("direction", "in" if member.tag == "method" else None))
            for part in member
        ]
        for member in interface
        if isinstance(member.tag, str)
    }


def test_the_documents_are_what_the_objects_have(bus, client):
    client.create("d", NET)
    for path, name in ((ROOT, MANAGER), (f"{ROOT}/device/d", DEVICE), (f"{ROOT}/mgmtdev/sim0", MGMTDEV)):
        told = ElementTree.fromstring(bus.busctl("introspect", "--xml-interface", NAME, path).stdout)
        live = {interface.get("name"): interface for interface in told.iter("interface")}
        assert {interface for interface in live if interface.startswith(NAME)} == {name}
        document = ElementTree.parse(TREE / f"api/{name}.xml").getroot().find("interface")
        assert members(document) == members(live[name])


def test_there_is_no_dump_of_all(connection):
    told = ElementTree.fromstring(connection.call(ROOT, "org.freedesktop.DBus.Introspectable", "Introspect")[0])
    assert "org.freedesktop.DBus.ObjectManager" not in {i.get("name") for i in told.iter("interface")}


# Objects.


def test_what_the_properties_are(bus, connection, client):
    device = client.create("a.b-c", net_spec("02:00:00:00:00:2a", owner="o", labels={"k": "v"}))
    path, described, _ = create(connection, "a.b-c", device["spec"])
    assert path == f"{ROOT}/device/a_2eb_2dc"
    assert plain(described)["uid"] == device["uid"]
    p = connection.properties(path, DEVICE)
    status = device["status"]
    expected = {
        "Name": "a.b-c", "Uid": device["uid"], "Class": "net", "Persistent": True, "ManagementDevice": "sim0",
        "Simulated": True, "Revision": device["revision"], "Generation": 1, "Owner": "o", "Labels": {"k": "v"},
        "State": "ready", "Reason": ["", ""], "Driver": "vhost_vdpa", "Endpoint": status["endpoint"],
        "Mac": "02:00:00:00:00:2a", "VendorId": status["vendor_id"] or 0, "MaxVqs": status["max_vqs"],
        "VqSize": status["vq_size"], "Features": status["features"], "Spec": device["spec"],
    }
    assert {key: p[key] for key in expected} == expected
    assert p["Status"] == {key: value for key, value in status.items() if value is not None}
    assert abs(p["Created"] / 1e6 - time.time()) < 3600

    shown = bus.busctl("--json=short", "get-property", NAME, path, DEVICE, "State", "Labels", "Reason")
    assert [json.loads(line) for line in shown.stdout.splitlines()] == [
        {"type": "s", "data": "ready"}, {"type": "a{ss}", "data": {"k": "v"}}, {"type": "(ss)", "data": ["", ""]},
    ]
    found = connection.manager("GetDeviceByEndpoint", "s", status["endpoint"])
    assert found[0] == path
    for endpoint in ("", "/dev/vhost-vdpa-999", "x" * 5000):
        with pytest.raises(BusError, match="DeviceNotFound"):
            connection.manager("GetDeviceByEndpoint", "s", endpoint)


def test_the_methods_of_a_device(connection):
    path, _, _ = create(connection, "d")
    (changed,) = connection.call(path, DEVICE, "Update", "a{sv}a{sv}", dictionary({"labels": {"a": "b"}}), {})
    assert plain(changed)["spec"]["labels"] == {"a": "b"}
    (changed,) = connection.call(path, DEVICE, "Update", "a{sv}a{sv}", dictionary({"labels": {"a": None}}), {})
    assert "labels" not in plain(changed)["spec"]
    assert connection.call(path, DEVICE, "GetStats")[0]
    connection.call(path, DEVICE, "Delete", "a{sv}", {})
    with pytest.raises(BusError, match="UnknownObject"):
        connection.call(path, DEVICE, "Describe")


def test_paths_that_lead_nowhere(connection):
    for path in ("device", "device/no", "device/_", "device/a/b", "mgmtdev/no", "device/_2e_2e", "x"):
        with pytest.raises(BusError, match="UnknownObject|UnknownMethod|UnknownInterface"):
            connection.call(f"{ROOT}/{path}", DEVICE, "Describe")


def test_a_management_device(make_daemon, bus):
    make_daemon(sim_section("pci/0000:01:00.0", transport="pci-pf", numa_node=1, max_devices=3)).start()
    with bus.connect() as connection:
        path, described = connection.manager("GetManagementDevice", "s", "pci/0000:01:00.0")
        assert path == f"{ROOT}/mgmtdev/pci_2f0000_3a01_3a00_2e0"
        p = connection.properties(path, MGMTDEV)
        assert (p["Handle"], p["Transport"], p["NumaNode"], p["Present"]) == ("pci/0000:01:00.0", "pci-pf", 1, True)
        assert p["Budgets"] == plain(described)["budgets"] == plain(connection.call(path, MGMTDEV, "Describe")[0])[
            "budgets"]
        for handle, error in (("no/such", "MgmtdevNotFound"), ("a/b/c", "InvalidRequest"), ("", "InvalidRequest")):
            with pytest.raises(BusError, match=error):
                connection.manager("GetManagementDevice", "s", handle)


def test_what_is_set_of_a_management_device(bus, connection):
    path = f"{ROOT}/mgmtdev/sim0"
    connection.add_match(f"type='signal',sender='org.hsvdpa',path='{path}'")
    connection.manager("Subscribe")
    settings = dictionary({"cordoned": True, "labels": {"rack": "a"}})
    (described,) = connection.call(path, MGMTDEV, "Update", "a{sv}a{sv}", settings, {})
    revision = plain(described)["revision"]
    p = connection.properties(path, MGMTDEV)
    assert (p["Cordoned"], p["Labels"], p["Revision"]) == (True, {"rack": "a"}, revision)
    assert (p["AsidKind"], p["PciFunction"], p["PhysicalFunction"]) == ("device-mmu", "", "")
    assert "mac" in p["Accepts"]
    changed = [body[1] for member, where, body in connection.signals(1.5) if member == "PropertiesChanged"]
    assert changed and changed[-1]["Cordoned"] is True and changed[-1]["Labels"] == {"rack": "a"}

    with pytest.raises(BusError, match="PreconditionFailed.*has revision"):
        connection.call(path, MGMTDEV, "Update", "a{sv}a{sv}", {}, dictionary({"revision": revision - 1}))
    with pytest.raises(BusError, match="/settings/cordoned: .*wrong-type"):
        connection.call(path, MGMTDEV, "Update", "a{sv}a{sv}", dictionary({"cordoned": "x"}), {})
    with pytest.raises(BusError, match="/options/uid: .*unknown-field"):
        connection.call(path, MGMTDEV, "Update", "a{sv}a{sv}", {}, dictionary({"uid": "x"}))
    taken_back = dictionary({"cordoned": None, "labels": None})
    (described,) = connection.call(path, MGMTDEV, "Update", "a{sv}a{sv}", taken_back, dictionary({"revision": revision}))
    assert (plain(described)["cordoned"], plain(described)["labels"]) == (False, {})


def test_the_host_is_that_of_rest(make_daemon, bus):
    """Also what SR-IOV would give."""
    pf, vf = sim_section("pci/0000:01:00.0", transport="pci-pf"), sim_section("pci/0000:01:00.1", transport="pci-vf",
                                                                              pf="0000:01:00.0")
    client = make_daemon(pf + vf).start()
    with bus.connect() as connection:
        host, expected = BusClient(bus).host(), client.host()
        assert host["sriov"] == expected["sriov"] and host["sriov"][0]["pf"] == "0000:01:00.0"
        assert {**host, "limits": 0} == {**expected, "limits": 0}
        assert plain(connection.manager("GetHost")[0])["limits"].items() <= expected["limits"].items()


def test_capacity(make_daemon, bus):
    make_daemon(sim_section("a", max_devices=3) + sim_section("b", max_devices=4)).start()
    with bus.connect() as connection:
        create(connection, "d")
        capacity = plain(connection.manager("GetCapacity")[0])
    assert capacity["mgmtdevs"] == 2
    devices = capacity["budgets"]["devices"]
    assert (devices["total"], devices["used"], devices["free"], devices["unknown"]) == (7, 1, 6, 0)


def test_busctl_creates_and_deletes(bus, client):
    def call(method, signature, *arguments):
        return bus.busctl("--json=short", "call", NAME, ROOT, MANAGER, method, signature, *arguments)

    # Numbers of any type, and dictionaries of any value.
    spec = ["5", "class", "s", "net", "persistent", "b", "false", "net", "a{sv}", "1", "mtu", "q", "9000",
            "labels", "a{ss}", "1", "k", "v", "features", "as", "3", "MTU", "VERSION_1", "MAC"]
    answer = call("CreateDevice", "sa{sv}a{sv}", "d", *spec, "0")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["type"] == "oa{sv}b"
    device = client.device("d")
    assert device["spec"]["net"] == {"mtu": 9000}
    assert device["spec"]["labels"] == {"k": "v"}
    assert device["spec"]["features"] == ["MTU", "MAC", "VERSION_1"]

    refused = call("CreateDevice", "sa{sv}a{sv}", "D!", "2", "class", "s", "no", "x", "i", "1", "1", "y", "b", "true")
    assert refused.returncode != 0
    assert re.findall(r"^(/\S+): ", refused.stderr, re.MULTILINE) == ["/name", "/spec/class", "/spec/x", "/options/y"]
    assert call("DeleteDevice", "sa{sv}", "d", "0").returncode == 0
    assert call("DeleteDevice", "sa{sv}", "d", "1", "missing-ok", "b", "true").returncode == 0


# What cannot be.


def nested(depth):
    value = ("s", "x")
    for _ in range(depth):
        value = ("av", [value])
    return value


ODD = [
    ({"class": ("(ss)", ("a", "b"))}, "/spec/class", "wrong-type"),
    ({"class": ("v", ("s", "net")), "x": ("ay", b"abc")}, "/spec/x", "unknown-field"),
    ({"class": ("s", "net"), "labels": ("a{us}", {1: "x"})}, "/spec/labels", "wrong-type"),
    ({"class": ("s", "net"), "net": ("a{sv}", {"mtu": ("t", 2**64 - 1)})}, "/spec/net/mtu", "out-of-range"),
    ({"class": ("s", "net"), "net": ("a{sv}", {"mtu": ("d", 1500.0)})}, "/spec/net/mtu", "wrong-type"),
    ({"class": ("s", "net"), "net": ("a{sv}", {"mtu": ("d", float("nan"))})}, "/spec/net/mtu", "out-of-range"),
    ({"class": ("s", "net"), "owner": ("g", "s")}, "/spec/owner", "wrong-type"),
    ({"class": ("s", "net"), "owner": ("s", "x" * 5000)}, "/spec/owner", "too-long"),
    ({"class": ("s", "net"), "features": nested(20)}, "/spec/features/0", "too-deep"),
    ({"class": ("s", "net"), "features": ("ai", [1] * 8000)}, "/spec/features", "too-many"),
]


def test_batches(bus, connection, client):
    made = bus.busctl("--json=short", "call", NAME, ROOT, MANAGER, "CreateDevices", "a(sa{sv})a{sv}", "3",
                      "a", "1", "class", "s", "net", "", "1", "class", "s", "block",
                      "b", "2", "class", "s", "net", "mgmtdev", "s", "no/such", "0")
    first, second, third = json.loads(made.stdout)["data"][0]
    assert first == ["a", f"{ROOT}/device/a", True, "", ""]
    assert second[1:] == [f"{ROOT}/device/{second[0].replace('-', '_2d')}", True, "", ""] and client.device(second[0])
    assert third[:4] == ["b", "/", False, "org.hsvdpa.Error.Unsatisfiable"] and "no/such" in third[4]
    assert connection.manager("CreateDevices", "a(sa{sv})a{sv}", [("a", dictionary(NET))], {})[0] == [
        ("a", f"{ROOT}/device/a", False, "", "")]
    uid = client.device("a")["uid"]
    gone = bus.busctl("call", NAME, ROOT, MANAGER, "DeleteDevices", "a(sa{sv})a{sv}", "2", "a", "1", "uid", "s", uid,
                      second[0], "0", "0")
    assert gone.returncode == 0 and client.devices() == {}
    alike = bus.busctl("call", NAME, ROOT, MANAGER, "CreateDevices", "a(sa{sv})a{sv}", "3", "a", "0", "b", "1", "class", "s", "block",
                       "c", "0", "1", "spec", "a{sv}", "2", "class", "s", "net", "owner", "s", "vm:7")
    assert alike.returncode == 0, alike.stderr
    specs = {name: device["spec"] for name, device in client.devices().items()}
    assert [(specs[name]["class"], specs[name].get("owner")) for name in "abc"] == [
        ("net", "vm:7"), ("block", None), ("net", "vm:7")]
    for name in "abc":
        client.delete(name).expect(204)
    for options, pointer in (({}, "/devices/0/spec/class"), ({"spec": {"class": "x"}}, "/options/spec/class"),
                             ({"spec": 1}, "/options/spec"), ({"spec": {}}, "/options/spec/class")):
        with pytest.raises(BusError, match=f"{pointer}: "):
            connection.manager("CreateDevices", "a(sa{sv})a{sv}", [("a", {})], dictionary(options))
    many = [(f"d{i}", dictionary(NET)) for i in range(1001)]
    for devices, complaint in (([], "/devices: must have an item"), (many, "/devices: must have 1000 items")):
        with pytest.raises(BusError, match=complaint):
            connection.manager("CreateDevices", "a(sa{sv})a{sv}", devices, {})
    assert {error for *_, error, _ in connection.manager("CreateDevices", "a(sa{sv})a{sv}", many[:1000], {})[0]} == {""}
    assert len(client.devices()) == 1000


@pytest.mark.parametrize("spec, pointer, code", ODD, ids=lambda value: str(value)[:40])
def test_odd_values(connection, spec, pointer, code):
    with pytest.raises(BusError) as caught:
        connection.manager("CreateDevice", "sa{sv}a{sv}", "d", spec, {})
    assert caught.value.name == "org.hsvdpa.Error.InvalidRequest"
    assert code in caught.value.text and pointer in caught.value.text
    assert connection.get(ROOT, MANAGER, "NDevices") == 0


def test_a_key_that_is_there_twice(bus, connection):
    answer = bus.busctl("call", NAME, ROOT, MANAGER, "CreateDevice", "sa{sv}a{sv}", "d", "2", "class", "s", "net",
                        "class", "s", "gpu", "0")
    assert "/spec/class: is there twice" in answer.stderr


def test_wrong_signatures(connection):
    for signature, arguments in (("", ()), ("s", ("d",)), ("ss", ("d", "net")), ("sa{ss}a{sv}", ("d", {}, {}))):
        with pytest.raises(BusError, match="InvalidArgs"):
            connection.manager("CreateDevice", signature, *arguments)
    with pytest.raises(BusError, match="UnknownMethod"):
        connection.manager("Explode")
    with pytest.raises(BusError, match="PropertyReadOnly|AccessDenied"):
        connection.call(ROOT, "org.freedesktop.DBus.Properties", "Set", "ssv", MANAGER, "Version", ("s", "2"))


# Signals.


def test_signals_come_to_those_who_asked(bus, connection, client):
    with bus.connect() as other:
        other.add_match("type='signal',sender='org.hsvdpa'")
        client.create("before", NET)
        assert not list(other.signals(0.3))

        other.manager("Subscribe")
        other.manager("Subscribe")
        client.create("d", NET)
        client.patch("d", {"owner": "x"}).expect(200)
        client.delete("before").expect(204)
        seen = list(other.signals(0.5))
        path = f"{ROOT}/device/d"
        assert ("DeviceAdded", ROOT, ["d", path]) in seen
        assert ("DeviceRemoved", ROOT, ["before", f"{ROOT}/device/before"]) in seen
        changes = [body for member, where, body in seen if (member, where) == ("PropertiesChanged", path)]
        if changes:  # else creation and change became one
            assert changes[-1][0] == DEVICE and changes[-1][1]["Owner"] == "x"
        client.patch("d", {"owner": "y"}).expect(200)
        (change,) = [body for _, where, body in other.signals(0.5) if where == path]
        assert change[1]["Owner"] == "y" and change[1]["State"] == "ready" and "Spec" in change[2]

        other.manager("Unsubscribe")
        other.manager("Unsubscribe")
        client.delete("d").expect(204)
        assert not list(other.signals(0.3))


def test_management_devices_tell_of_their_budgets(bus, connection, client):
    connection.add_match("type='signal',sender='org.hsvdpa',path_namespace='/org/hsvdpa/mgmtdev'")
    connection.manager("Subscribe")
    client.create("d", NET)
    changed = [body for member, path, body in connection.signals(1.5) if path == f"{ROOT}/mgmtdev/sim0"]
    assert changed and all("Budgets" in body[2] for body in changed)


def test_a_subscriber_that_left_is_forgotten(bus, connection, client):
    """Nothing is sent any more: a watcher that has not subscribed sees nothing."""
    connection.add_match("type='signal',sender='org.hsvdpa'")
    with bus.connect() as other:
        other.manager("Subscribe")
        client.create("a", NET)
        assert list(connection.signals(0.5))
    client.create("b", NET)
    assert not list(connection.signals(0.5))


def test_many_changes_are_gathered(bus, connection, client):
    connection.add_match("type='signal',sender='org.hsvdpa'")
    connection.manager("Subscribe")
    with bus.connect() as worker:
        for i in range(scaled(300)):
            create(worker, f"d{i}")
    added = {body[0] for member, _, body in connection.signals(1) if member == "DeviceAdded"}
    assert added == {f"d{i}" for i in range(scaled(300))}


def test_the_tree_is_bounded(bus, client):
    with bus.connect() as worker:
        for i in range(150):
            create(worker, f"d{i:03}")
    paths = bus.busctl("tree", "--list", NAME).stdout.split()
    assert len([path for path in paths if path.startswith(f"{ROOT}/device/")]) == 100
    assert bus.busctl("get-property", NAME, f"{ROOT}/device/d149", DEVICE, "Name").stdout == 's "d149"\n'


# Time.


def test_a_long_call_blocks_nobody_and_outlives_its_caller(make_daemon, bus):
    daemon = make_daemon(sim_section("sim0", latency_usec=patient(300_000)))
    client = daemon.start()
    with bus.connect() as connection, bus.connect() as other:
        connection.send(ROOT, MANAGER, "CreateDevice", "sa{sv}a{sv}", "slow", dictionary(NET), {})
        poll("creation under way", lambda: client.host()["devices"]["creating"] == 1)
        other.manager("GetHost")
    # Both have gone.
    poll("device", lambda: client.devices(state="ready"))
    assert list(client.devices()) == ["slow"]


def test_a_flood_is_refused_and_others_are_served(make_daemon, bus):
    daemon = make_daemon(sim_section("sim0", latency_usec=patient(8_000)))
    client = daemon.start()
    n = 1000
    with bus.connect() as flood, bus.connect() as other:
        for i in range(n):
            flood.send(ROOT, MANAGER, "CreateDevice", "sa{sv}a{sv}", f"d{i}", dictionary(NET), {})
        begin = time.monotonic()
        other.manager("GetHost")
        client.host()
        assert time.monotonic() - begin < patient(5)
        answers = []
        for _ in range(n - 256):
            try:
                answers.append(flood.result(flood.receive()))
            except BusError as error:
                assert error.name == LIMITS_EXCEEDED
                answers.append(None)
        assert answers.count(None) >= n - 256 - 100
        path, _, created = create(other, "others")
        assert created and path
    daemon.terminate()
    daemon.wait()


def test_it_stops_with_calls_under_way(make_daemon, bus):
    daemon = make_daemon(sim_section("sim0", latency_usec=patient(100_000)))
    daemon.start()
    with bus.connect() as connection:
        connection.send(ROOT, MANAGER, "CreateDevice", "sa{sv}a{sv}", "d", dictionary(NET), {})
        poll("creation under way", lambda: daemon.client().host()["devices"]["creating"] == 1)
        daemon.stop()
        while True:
            message = connection.receive()
            if message.header.message_type.name == "method_return" and len(message.body) == 3:
                break
    assert message.body[2] is True


# The bus.


def test_without_a_bus(make_daemon, bus):
    daemon = make_daemon()
    bus.stop()
    try:
        daemon.spawn()
        poll("REST", lambda: daemon.get_status("/readyz") == 200)
        daemon.client().create("d", NET)
        assert "tried again later" in daemon.log()
    finally:
        bus.start()
    poll("name on the bus", daemon.is_on_bus)
    assert BusClient(bus).device("d")["name"] == "d"


def test_a_bus_that_goes_and_comes_back(daemon, bus):
    client = daemon.client()
    for i in range(2):
        bus.stop()
        client.create(f"d{i}", NET)
        bus.start()
        poll("name on the bus", daemon.is_on_bus)
        assert BusClient(bus).device(f"d{i}")["status"]["state"] == "ready"
    assert daemon.log().count("The bus has gone") == 2


def test_no_bus_is_asked_for(make_daemon, bus):
    daemon = make_daemon("[dbus]\nenable = no\n")
    daemon.spawn()
    poll("REST", lambda: daemon.get_status("/readyz") == 200)
    assert not daemon.is_on_bus()


def test_a_name_that_another_has(make_daemon, bus):
    first, second = make_daemon(), make_daemon()
    first.start()
    second.spawn()
    poll("complaint", lambda: "Cannot have the name" in second.log())
    poll("REST", lambda: second.get_status("/readyz") == 200)
    first.stop()
    poll("name on the bus", second.is_on_bus)


# Who may do what.

STRANGER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be someone else")


MANAGE, INSPECT = "org.hsvdpa.manage-devices", "org.hsvdpa.inspect-devices"


def ask_for_stats(bus, name):
    """The text of the refusal, of which busctl shows only the kind."""
    command = ["dbus-send", f"--bus={bus.address}", "--print-reply", f"--dest={NAME}", ROOT, f"{MANAGER}.GetStats",
               f"string:{name}"]
    answer = subprocess.run([*STRANGER, *command], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert answer.returncode != 0
    return answer.stderr


def attempt(bus, method, signature, *arguments, prefix=STRANGER, options=()):
    return bus.busctl(*options, "call", NAME, ROOT, MANAGER, method, signature, *arguments, prefix=prefix)


CREATE = ("CreateDevice", "sa{sv}a{sv}", "d", "1", "class", "s", "net", "0")


@needs_root
def test_without_polkit_a_stranger_may_only_look(bus, client):
    client.create("kept", NET)
    for call in (CREATE, ("DeleteDevice", "sa{sv}", "kept", "0"), ("GetStats", "s", "kept"),
                 ("CreateDevices", "a(sa{sv})a{sv}", "1", "d", "1", "class", "s", "net", "0"),
                 ("DeleteDevices", "a(sa{sv})a{sv}", "1", "kept", "0", "0"),
                 ("UpdateDevice", "sa{sv}a{sv}", "kept", "1", "owner", "s", "x", "0"),
                 ("UpdateManagementDevice", "sa{sv}a{sv}", "sim0", "1", "cordoned", "b", "true", "0")):
        answer = attempt(bus, *call)
        assert answer.returncode != 0 and "Access denied" in answer.stderr
    assert "There is no polkit" in ask_for_stats(bus, "kept")
    for call in (("GetDevice", "s", "kept"), ("ListDevices", "a{sv}", "0"), ("GetHost", ""), ("GetCapacity", ""),
                 ("PlanDevice", "sa{sv}a{sv}", "new", "1", "class", "s", "net", "0")):
        assert attempt(bus, *call).returncode == 0
    assert list(client.devices()) == ["kept"] and "owner" not in client.device("kept")["spec"]
    assert not client.mgmtdev("sim0")["cordoned"]


@needs_root
def test_polkit_decides(bus, client):
    with FakePolkit(bus) as polkit:
        polkit.answer(False)
        assert "Access denied" in attempt(bus, *CREATE).stderr
        assert "polkit does not allow it: org.hsvdpa.inspect-devices" in ask_for_stats(bus, "d")
        polkit.answer(False, challenge=True)
        assert "Interactive authentication is required" in attempt(
            bus, *CREATE, options=["--allow-interactive-authorization=no"]).stderr
        assert "Access denied" in attempt(bus, *CREATE).stderr
        assert client.devices() == {}

        polkit.answer(True)
        assert attempt(bus, *CREATE).returncode == 0
        assert attempt(bus, "GetStats", "s", "d").returncode == 0
        assert [asked["action"] for asked in polkit.asked] == [
            MANAGE, INSPECT, MANAGE, MANAGE, MANAGE, INSPECT]
        assert all(asked["kind"] == "system-bus-name" and asked["name"].startswith(":") for asked in polkit.asked)
        assert [asked["flags"] for asked in polkit.asked] == [1, 0, 0, 1, 1, 1]
        assert list(client.devices()) == ["d"]
        cordon = ("UpdateManagementDevice", "sa{sv}a{sv}", "sim0", "1", "cordoned", "b", "true", "0")
        assert attempt(bus, *cordon).returncode == 0 and client.mgmtdev("sim0")["cordoned"]
        assert polkit.asked[-1]["action"] == "org.hsvdpa.configure-management-devices"


@needs_root
def test_polkit_that_does_not_answer_holds_nobody_up(daemon, bus, client):
    with FakePolkit(bus) as polkit:
        polkit.answer(None)
        waiting = threading.Thread(target=attempt, args=(bus, *CREATE))
        waiting.start()
        poll("question to polkit", lambda: polkit.asked)
        with bus.connect() as connection:
            create(connection, "root")
        assert list(client.devices()) == ["root"]
        daemon.stop()
        waiting.join()


@needs_root
def test_polkit_that_fails_is_no_permission(bus, client):
    with FakePolkit(bus) as polkit:
        polkit.answer("org.freedesktop.PolicyKit1.Error.Failed")
        assert "polkit has not answered" in ask_for_stats(bus, "d")
        assert "Access denied" in attempt(bus, *CREATE).stderr
    assert client.devices() == {}


def test_a_bus_policy_that_forbids_the_name(make_daemon):
    with temporary_directory() as directory:
        bus = Bus(directory, '<deny own="org.hsvdpa"/>')
        try:
            with daemons(lambda where, config: BusDaemon(where, config, bus)) as make:
                daemon = make()
                daemon.spawn()
                poll("complaint", lambda: "Cannot have the name" in daemon.log())
                poll("REST", lambda: daemon.get_status("/readyz") == 200)
        finally:
            bus.stop()


# Devices that go with who has asked for them.

UNTIL_DISCONNECT = {"until-disconnect": True}


def open_endpoint(daemon, name):
    path = daemon.runtime_dir / "sim-open" / name
    path.mkdir()
    return path


def hold(connection, name):
    return plain(create(connection, name, NET, UNTIL_DISCONNECT)[1])


def test_devices_go_with_their_holder_and_nobody_elses(bus, client):
    with bus.connect() as other:
        hold(other, "others")
        client.create("nobodys", NET)
        with bus.connect() as connection:
            held = hold(connection, "a")
            hold(connection, "b")
            create(connection, "kept")
            assert held["status"]["holder"].startswith("dbus ")
            assert held["status"]["holder"].endswith(connection.unique_name)
            path = f"{ROOT}/device/a"
            assert connection.get(path, DEVICE, "Holder") == held["status"]["holder"]
            assert connection.get(f"{ROOT}/device/kept", DEVICE, "Holder") == ""
            assert client.device("a")["status"]["holder"] == held["status"]["holder"]
        poll("deletion", lambda: list(client.devices()) == ["kept", "nobodys", "others"])
    poll("deletion", lambda: list(client.devices()) == ["kept", "nobodys"])


def test_a_client_that_is_killed(bus, client):
    """busctl itself ends right away; a client that is killed -9 holds devices no longer than its connection."""
    answer = bus.busctl("call", NAME, ROOT, MANAGER, "CreateDevice", "sa{sv}a{sv}", "short", "1", "class", "s", "net",
                        "1", "until-disconnect", "b", "true")
    assert answer.returncode == 0
    script = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from bus import *\n"
        "connection = Connection(sys.argv[1])\n"
        "connection.manager('CreateDevice', 'sa{sv}a{sv}', 'd', {'class': ('s', 'net')},\n"
        "                   {'until-disconnect': ('b', True)})\n"
        "print('made', flush=True)\n"
        "connection.receive()\n"
    )
    process = subprocess.Popen([sys.executable, "-B", "-c", script, bus.address, *sys.path], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"made\n"
    poll("deletion", lambda: list(client.devices()) == ["d"])
    process.kill()
    process.wait()
    poll("deletion", lambda: not client.devices())
    process.stdout.close()


def test_only_the_holder_confirms(bus, client):
    with bus.connect() as connection, bus.connect() as other:
        held = hold(connection, "d")
        assert hold(connection, "d")["uid"] == held["uid"]
        for options in ({}, UNTIL_DISCONNECT):
            with pytest.raises(BusError, match="AlreadyExists.*held by dbus"):
                create(other, "d", NET, options)
        client.put("d", NET).expect(409, "already-exists")
        client.create("plain", NET)
        with pytest.raises(BusError, match="held by nobody"):
            hold(connection, "plain")
        client.delete("d").expect(204)


def test_what_is_in_use_stays_until_it_is_not(daemon, bus, client):
    with bus.connect() as connection:
        hold(connection, "d")
        endpoint = open_endpoint(daemon, "d")
    poll("refusal", lambda: "its holder has gone" in daemon.log())
    assert client.device("d")["status"]["state"] == "ready"
    endpoint.rmdir()
    poll("deletion", lambda: not client.devices())


def test_the_restart_of_the_daemon_loses_no_hold(daemon, bus):
    with bus.connect() as stays:
        hold(stays, "stays")
        with bus.connect() as leaves:
            hold(leaves, "leaves")
            daemon.kill9()
        client = daemon.start()
        poll("deletion", lambda: list(client.devices()) == ["stays"])
        assert client.device("stays")["status"]["holder"].endswith(stays.unique_name)
        assert hold(stays, "stays")["status"]["state"] == "ready"
    poll("deletion", lambda: not client.devices())


def test_holders_do_not_outlive_their_bus(daemon, bus, client):
    connection = bus.connect()
    hold(connection, "d")
    client.create("kept", NET)
    bus.stop()
    bus.start()
    poll("deletion", lambda: list(client.devices()) == ["kept"])
    connection.close()

    with bus.connect() as connection:
        hold(connection, "e")
        daemon.stop()
        bus.stop()
    bus.start()
    client = daemon.start()
    poll("deletion", lambda: list(client.devices()) == ["kept"])


def test_a_holder_that_leaves_before_it_is_answered(make_daemon, bus):
    daemon = make_daemon(sim_section("sim0", latency_usec=patient(200_000)))
    client = daemon.start()
    with bus.connect() as connection:
        connection.send(ROOT, MANAGER, "CreateDevice", "sa{sv}a{sv}", "d", dictionary(NET),
                        dictionary(UNTIL_DISCONNECT))
        poll("creation under way", lambda: client.host()["devices"]["creating"] == 1)
    poll("deletion", lambda: not client.devices())
    assert "ready on" in daemon.log() and "deleted from" in daemon.log()


def test_many_are_released(bus, client):
    with bus.connect() as connection:
        for i in range(scaled(300)):
            hold(connection, f"d{i}")
    poll("deletion", lambda: not client.devices())
