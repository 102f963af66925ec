# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon on the real system bus, beside the real polkit: every method by busctl(1), which shares none of its code."""

import contextlib
import json
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import service
import vdpa
import vhost
from agreement import agree
from rest import Api, Connection, net

NAME = "org.hsvdpa"
ROOT = "/org/hsvdpa"
MANAGER, DEVICE, MGMTDEV = "org.hsvdpa.Manager1", "org.hsvdpa.Device1", "org.hsvdpa.ManagementDevice1"

# What this kernel says of the statistics of a device that nobody has set up.
UNNEGOTIATED = "feature negotiation not complete"

# Makes a device that goes with it, and stays until it is killed.
HOLD = """
import sys
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection
connection = open_dbus_connection("SYSTEM")
manager = DBusAddress("/org/hsvdpa", bus_name="org.hsvdpa", interface="org.hsvdpa.Manager1")
arguments = sys.argv[1], {"class": ("s", "net"), "mgmtdev": ("s", "vdpasim_net")}, {"until-disconnect": ("b", True)}
reply = connection.send_and_get_reply(new_method_call(manager, "CreateDevice", "sa{sv}a{sv}", arguments))
print(reply.header.message_type.name, flush=True)
sys.stdin.read()
"""


def plain(value):
    """What busctl prints as JSON, without the types of variants."""
    if isinstance(value, dict) and value.keys() == {"type", "data"}:
        return plain(value["data"])
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value


def busctl(*words, prefix=()):
    return vdpa.run(*prefix, "busctl", "--json=short", "--timeout=120", *words)


def call(method, signature="", *arguments, path=ROOT, interface=MANAGER, prefix=()):
    words = [*(word for word in (signature,) if word), *arguments]
    output = busctl("call", NAME, path, interface, method, *words, prefix=prefix).strip()
    return plain(json.loads(output)["data"]) if output else []


def get(path, interface, name):
    return plain(json.loads(busctl("get-property", NAME, path, interface, name)))


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(member) for member in value]
    return value


SPEC = ("3", "class", "s", "net", "mgmtdev", "s", "vdpasim_net", "net", "a{sv}", "1", "mac", "s", "02:00:00:00:00:2a")
MAKE = ("CreateDevice", "sa{sv}a{sv}", "d", *SPEC, "0")


@pytest.fixture(autouse=True)
def on_bus(api):
    vdpa.wait_for(lambda: NAME in vdpa.run("busctl", "list", "--no-legend"))
    return api


def test_every_method_of_the_manager(api):
    path, made, created = call(*MAKE)
    assert (path, created) == (f"{ROOT}/device/d", True)
    device = without_nulls(api.device("d"))
    assert made == device
    agree()
    assert call("GetDevice", "s", "d") == [path, device]
    assert call("GetDeviceByEndpoint", "s", device["status"]["endpoint"]) == [path, device]
    items, following, revision = call("ListDevices", "a{sv}", "2", "class", "s", "net", "limit", "u", "5")
    assert items == [[path, device]] and following == "" and revision >= device["revision"]
    assert UNNEGOTIATED in failure("GetStats", "s", "d")

    (changed,) = call("UpdateDevice", "sa{sv}a{sv}", "d", "1", "owner", "s", "vm:1", "1", "revision", "t",
                      str(device["revision"]))
    assert changed["spec"]["owner"] == "vm:1" and changed["generation"] == 2
    with pytest.raises(RuntimeError, match="has uid"):
        call("DeleteDevice", "sa{sv}", "d", "1", "revision", "t", str(device["revision"]))

    (host,) = call("GetHost")
    assert host["backend"] == "kernel" and host["devices"]["ready"] == 1
    (mgmtdevs,) = call("ListManagementDevices")
    assert {each["handle"] for _, each in mgmtdevs} == set(vdpa.mgmtdevs())
    where, mgmtdev = call("GetManagementDevice", "s", "vdpasim_net")
    assert [where, mgmtdev] in mgmtdevs
    (capacity,) = call("GetCapacity")
    assert capacity["mgmtdevs"] == len(mgmtdevs) and capacity["budgets"]["devices"]["used"] == 1
    (plan,) = call("PlanDevice", "sa{sv}a{sv}", "e", "1", "class", "s", "block", "0")
    assert (plan["mgmtdev"], plan["exists"]) == ("vdpasim_blk", False)
    (cordoned,) = call("UpdateManagementDevice", "sa{sv}a{sv}", "vdpasim_blk", "1", "cordoned", "b", "true", "1", "revision",
                       "t", str(api.mgmtdevs()["vdpasim_blk"]["revision"]))
    assert cordoned["cordoned"] and get(f"{ROOT}/mgmtdev/vdpasim_5fblk", MGMTDEV, "Cordoned")
    assert "vdpasim_blk: is cordoned [cordoned]" in failure("PlanDevice", "sa{sv}a{sv}", "e", "1", "class", "s", "block", "0")
    call("UpdateManagementDevice", "sa{sv}a{sv}", "vdpasim_blk", "1", "cordoned", "g", "", "0")
    (made,) = call("CreateDevices", "a(sa{sv})a{sv}", "2", "e", "1", "class", "s", "block", "f", "1", "class", "s", "gpu", "0")
    assert [(each[0], each[2], each[3]) for each in made] == [("e", True, ""), ("f", False, "org.hsvdpa.Error.Unsatisfiable")]
    agree()
    (gone,) = call("DeleteDevices", "a(sa{sv})a{sv}", "2", "e", "0", "f", "0", "1", "missing-ok", "b", "true")
    assert [each[3] for each in gone] == ["", ""]
    vdpa.delete("d")
    items, following, mode = call("ListDrift", "a{sv}", "1", "refresh", "b", "true")
    assert [(item["name"], item["kind"]) for item in items] == [("d", "missing")] and (following, mode) == ("", "observe")
    (repaired,) = call("RepairDrift", "a{sv}", "1", "devices", "as", "1", "d")
    assert [(each["name"], each["kind"], each["status"]) for each in repaired] == [("d", "missing", 200)]
    vdpa.add("theirs", "vdpasim_net", mac="02:00:00:00:00:2c")
    call("ListDrift", "a{sv}", "1", "refresh", "b", "true")
    (taken,) = call("AdoptDevice", "sa{sv}a{sv}", "theirs", "1", "owner", "s", "vm:2", "0")
    assert (taken["spec"]["owner"], taken["spec"]["net"]["mac"]) == ("vm:2", "02:00:00:00:00:2c")
    agree(adopted={"theirs"})
    call("DeleteDevice", "sa{sv}", "theirs", "0")
    call("Subscribe")
    call("Unsubscribe")
    for name in ("Version", "Backend", "Ready", "NDevices"):
        assert get(ROOT, MANAGER, name)
    call("DeleteDevice", "sa{sv}", "d", "0")
    call("DeleteDevice", "sa{sv}", "d", "1", "missing-ok", "b", "true")
    agree()


def test_every_method_of_the_objects(api):
    path, made, _ = call(*MAKE)
    on_device = {"path": path, "interface": DEVICE}
    assert call("Describe", **on_device) == [made]
    (changed,) = call("Update", "a{sv}a{sv}", "1", "net", "a{sv}", "1", "mac", "s", "02:00:00:00:00:2b", "0",
                      **on_device)
    assert vdpa.config("d")["mac"] == changed["status"]["net"]["mac"] == get(path, DEVICE, "Mac") == "02:00:00:00:00:2b"
    assert UNNEGOTIATED in failure("GetStats", **on_device)
    assert get(path, DEVICE, "Endpoint") == api.device("d")["status"]["endpoint"]
    (mgmtdev,) = call("Describe", path=f"{ROOT}/mgmtdev/vdpasim_5fnet", interface=MGMTDEV)
    assert mgmtdev["handle"] == "vdpasim_net"
    (labelled,) = call("Update", "a{sv}a{sv}", "1", "labels", "a{ss}", "1", "rack", "a", "0",
                       path=f"{ROOT}/mgmtdev/vdpasim_5fnet", interface=MGMTDEV)
    assert labelled["labels"] == get(f"{ROOT}/mgmtdev/vdpasim_5fnet", MGMTDEV, "Labels") == {"rack": "a"}
    call("Update", "a{sv}a{sv}", "1", "labels", "g", "", "0", path=f"{ROOT}/mgmtdev/vdpasim_5fnet", interface=MGMTDEV)
    call("Delete", "a{sv}", "0", **on_device)
    agree()
    assert "UnknownObject" in failure("Describe", **on_device)


def failure(*words, **options):
    with pytest.raises(RuntimeError) as caught:
        call(*words, **options)
    text = str(caught.value)
    return "UnknownObject" if "Unknown object" in text else text


def test_the_tree(api):
    call(*MAKE)
    paths = vdpa.run("busctl", "tree", "--list", NAME).split()
    assert {f"{ROOT}/device/d", f"{ROOT}/mgmtdev/vdpasim_5fnet", f"{ROOT}/mgmtdev/vduse"} <= set(paths)


def test_a_call_starts_the_daemon(api):
    service.stop()
    service.forgive()
    call("GetHost")
    assert service.is_active()
    vdpa.wait_for(service.is_ready)


def test_the_daemon_survives_its_bus(api):
    """Debian's dbus is not restarted on a running system; here it is."""
    api.create("d", net(1))
    service.systemctl("restart", "dbus.service")
    vdpa.wait_for(lambda: NAME in vdpa.run("busctl", "list", "--no-legend"))
    assert call("GetDevice", "s", "d")[1]["uid"] == Api(Connection().ask).device("d")["uid"]
    agree()


@contextlib.contextmanager
def user(group=False):
    """What runs a command as somebody, who is a member of the group hsvdpa if group."""
    if "hsvdpa:" not in open("/etc/group", encoding="utf-8").read():
        vdpa.run("groupadd", "--system", "hsvdpa")
    vdpa.run("useradd", "--no-create-home", *(["--groups", "hsvdpa"] if group else []), "somebody")
    try:
        yield ("setpriv", "--reuid=somebody", "--regid=somebody", "--init-groups")
    finally:
        vdpa.run("userdel", "somebody")


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


def test_the_objects_have_what_is_installed(api):
    """What busctl sees is what bindings are made from."""
    path, _, _ = call(*MAKE)
    for where, name in ((ROOT, MANAGER), (path, DEVICE), (f"{ROOT}/mgmtdev/vdpasim_5fnet", MGMTDEV)):
        told = ElementTree.fromstring(vdpa.run("busctl", "introspect", "--xml-interface", NAME, where))
        (live,) = [each for each in told.iter("interface") if each.get("name").startswith(NAME)]
        document = ElementTree.parse(f"/usr/share/dbus-1/interfaces/{name}.xml").getroot().find("interface")
        assert live.get("name") == document.get("name") == name and members(live) == members(document)


CHANGES = [
    MAKE,
    ("CreateDevices", "a(sa{sv})a{sv}", "1", "d", *SPEC, "0"),
    ("DeleteDevices", "a(sa{sv})a{sv}", "1", "kept", "0", "0"),
    ("DeleteDevice", "sa{sv}", "kept", "0"),
    ("UpdateDevice", "sa{sv}a{sv}", "kept", "1", "owner", "s", "x", "0"),
    ("UpdateManagementDevice", "sa{sv}a{sv}", "vdpasim_net", "1", "cordoned", "b", "true", "0"),
    ("GetStats", "s", "kept"),
]


def test_polkit_lets_members_of_the_group_and_no_others(api):
    kept = api.create("kept", net(1))
    with user() as stranger:
        assert call("GetHost", prefix=stranger)
        for change in CHANGES:
            with pytest.raises(RuntimeError, match="(?i)access denied|authentication"):
                call(*change, prefix=stranger)
    assert api.devices() == {"kept": kept} and not api.mgmtdevs()["vdpasim_net"]["cordoned"]
    api.delete("kept")
    with user(group=True) as member:
        call(*MAKE, prefix=member)
        call("DeleteDevice", "sa{sv}", "d", "0", prefix=member)
    agree()


def hold(name):
    process = subprocess.Popen([sys.executable, "-I", "-c", HOLD, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    assert process.stdout.readline() == "method_return\n"
    return process


def end(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_client_that_is_killed_takes_its_devices_along(api):
    api.create("kept", net(1))
    process = hold("d")
    assert sorted(vdpa.devices()) == ["d", "kept"]
    end(process)
    vdpa.wait_for(lambda: sorted(vdpa.devices()) == ["kept"])
    vdpa.wait_for(lambda: "d" not in api.devices())
    agree()


def test_what_is_open_is_not_torn_down(api):
    process = hold("d")
    with vhost.opened(api.device("d")["status"]["endpoint"]):
        end(process)
        vdpa.wait_for(lambda: "its holder has gone" in service.journal())
        assert "d" in vdpa.devices() and api.state("d") == "ready"
    vdpa.wait_for(lambda: "d" not in vdpa.devices())
    vdpa.wait_for(lambda: "d" not in api.devices())
    agree()


def test_a_killed_daemon_still_knows_who_holds_what(api):
    stays, leaves = hold("stays"), hold("leaves")
    before = service.pid()
    service.kill()
    end(leaves)
    service.wait_restarted(before)
    vdpa.wait_for(lambda: sorted(vdpa.devices()) == ["stays"])
    end(stays)
    vdpa.wait_for(lambda: not vdpa.devices())
