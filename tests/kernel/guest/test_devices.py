# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices of the simulators, made, shown, changed and deleted over REST."""

import json
import os
import socket
import subprocess

import pytest

import rest
import vdpa
import vhost
from agreement import agree
from rest import block, mac, net

OWNER = {"uid": 107, "gid": 108, "mode": "0640"}

# Opens what it is given, as a VM does.
OPEN = "import os, sys; os.open(sys.argv[1], os.O_RDWR)"


def open_as(uid, gid, path):
    """Whether a process of that user can open the node."""
    command = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "python3", "-I", "-c", OPEN, path]
    return subprocess.run(command, capture_output=True).returncode == 0


def test_net_on_vhost_vdpa(api):
    device = api.create("vm1-net0", net(1, mtu=1400, endpoint=OWNER))
    agree()
    assert device["status"]["net"] == {"mac": mac(1), "mtu": 1400, "max_vqp": 1}
    assert vdpa.config("vm1-net0")["mac"] == mac(1)
    path = device["status"]["endpoint"]
    assert path.startswith("/dev/vhost-vdpa-")
    assert open_as(107, 107, path)
    assert not open_as(1000, 108, path)

    assert api.device("vm1-net0") == device
    api.delete("vm1-net0").expect(204)
    agree()
    assert not vdpa.exists("vm1-net0") and not os.path.exists(path)
    api.get("/v1/devices/vm1-net0").expect(404, "device-not-found")


def test_net_on_virtio_vdpa(api):
    device = api.create("ct1-net0", net(2, mtu=1300, driver="virtio_vdpa"))
    agree()
    link = json.loads(vdpa.run("ip", "-j", "link", "show", "dev", device["status"]["endpoint"]))[0]
    assert (link["address"], link["mtu"]) == (mac(2), 1300)

    # In use or not is nothing that a network interface could say.
    vdpa.run("ip", "link", "set", link["ifname"], "up")
    agree()
    api.delete("ct1-net0").expect(204)
    agree()
    assert link["ifname"] not in vdpa.run("ip", "-j", "link", "show")


def direct_io(path, pattern):
    """Writes the pattern to the block device, and returns what is there then. O_DIRECT: not from the page cache."""
    options = ["bs=4096", f"count={len(pattern) // 4096}", "iflag=fullblock", "status=none"]
    subprocess.run(["dd", f"of={path}", "oflag=direct", *options], input=pattern, check=True)
    return subprocess.run(["dd", f"if={path}", *options[:2], "iflag=fullblock,direct", "status=none"],
                          stdout=subprocess.PIPE, check=True).stdout


def test_block_on_virtio_vdpa_keeps_a_pattern(api):
    device = api.create("ct1-disk0", block(driver="virtio_vdpa"))
    agree()
    path, pattern = device["status"]["endpoint"], os.urandom(4096) * 64
    assert direct_io(path, pattern) == pattern
    agree()
    api.delete("ct1-disk0").expect(204)
    agree()
    assert not os.path.exists(path)


def test_block_on_vhost_vdpa(api):
    device = api.create("vm1-disk0", block(endpoint=OWNER))
    agree()
    with vhost.opened(device["status"]["endpoint"]) as fd:
        assert vhost.ask(fd, vhost.GET_DEVICE_ID) == 2
    api.delete("vm1-disk0").expect(204)
    agree()


def test_all_kinds_beside_each_other(api):
    specs = [net(n, driver=driver) for n, driver in enumerate(["vhost_vdpa", "virtio_vdpa"] * 3)]
    specs += [block(driver=driver) for driver in ["vhost_vdpa", "virtio_vdpa"] * 2]
    endpoints = {api.create(f"d{n}", spec)["status"]["endpoint"] for n, spec in enumerate(specs)}
    assert len(endpoints) == len(specs)
    agree()
    for n in range(0, len(specs), 2):
        api.delete(f"d{n}").expect(204)
    agree()


def test_host_that_binds_nothing_by_itself(api):
    autoprobe = vdpa.BUS / "drivers_autoprobe"
    autoprobe.write_text("0")
    try:
        api.create("vm", net(1))
        api.create("ct", net(2, driver="virtio_vdpa"))
        agree()
        assert not api.host()["autoprobe"]
        api.delete("vm").expect(204)
        api.delete("ct").expect(204)
        agree()
    finally:
        autoprobe.write_text("1")


@pytest.mark.parametrize("kind, handle", [("net", "vdpasim_net"), ("block", "vdpasim_blk")])
def test_placement_chooses_what_can_make_it(api, kind, handle):
    """And not vduse, which can only make what some program has prepared there."""
    for n in range(3):
        assert api.create(f"d{n}", {"class": kind})["status"]["mgmtdev"] == handle
    agree()


def test_put_creates_once(api):
    spec = net(1, mtu=1400, owner="vm:1", labels={"tier": "web"}, endpoint=OWNER)
    device = api.create("d", spec)
    assert api.put("d", spec).expect(200).json == device
    agree()
    for other in (net(2, mtu=1400), net(1, mtu=1500), block(), {**spec, "driver": "virtio_vdpa"}):
        api.put("d", other).expect(409, "already-exists")
    assert agree()["d"] == device


def send(method, name, body=""):
    """Sends a request; whoever has the socket may wait for the answer or not."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(rest.SOCKET)
    sock.sendall(f"{method} /v1/devices/{name} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return sock


def test_clients_that_hang_up_leave_finished_devices(api):
    """Half of them in the middle of it. What was not yet begun then may not be done at all."""
    fast = rest.Api(rest.Connection().ask)
    names = [f"d{n}" for n in range(20)]
    sockets = [send("PUT", name, json.dumps({"spec": net(n)})) for n, name in enumerate(names)]
    vdpa.wait_for(lambda: fast.host()["devices"]["ready"] > 0)
    for sock in sockets:
        sock.close()
    fast.wait_idle()
    made = agree()
    assert made

    sockets = [send("DELETE", name) for name in made]
    vdpa.wait_for(lambda: fast.host()["devices"]["total"] < len(made))
    for sock in sockets:
        sock.close()
    fast.wait_idle()
    agree()


def test_features_are_what_was_asked_for(api):
    features = ["MAC", "STATUS", "ANY_LAYOUT", "VERSION_1", "ACCESS_PLATFORM"]
    device = api.create("d", net(1, features=features))
    assert device["status"]["features"] == features
    agree()


@pytest.mark.parametrize("driver", ["vhost_vdpa", "virtio_vdpa"])
def test_mac_address_is_changed_in_place(api, driver):
    before = api.create("d", net(1, driver=driver))
    after = api.patch("d", {"net": {"mac": mac(2)}}).expect(200).json
    assert vdpa.config("d")["mac"] == mac(2)
    assert after["spec"]["net"]["mac"] == after["status"]["net"]["mac"] == mac(2)
    assert after["generation"] == before["generation"] + 1
    assert (after["uid"], after["status"]["endpoint"]) == (before["uid"], before["status"]["endpoint"])
    assert agree()["d"] == after
    api.put("d", net(2, driver=driver)).expect(200)


def test_metrics_are_those_of_the_kernel(api):
    for n in range(3):
        api.create(f"m{n}", net(n))
    vdpa.add("other", "vdpasim_blk")
    try:
        api.look()
        metrics = dict(line.rsplit(" ", 1) for line in api.get("/metrics").expect(200).body.splitlines() if line[0] != "#")
        assert int(metrics['hsvdpa_devices{state="ready"}']) == len(vdpa.devices()) - 1 == 3
        assert metrics['hsvdpa_mgmtdev_foreign_devices{mgmtdev="vdpasim_blk"}'] == "1"
        assert metrics['hsvdpa_mgmtdev_budget{mgmtdev="vdpasim_net",resource="devices",state="used"}'] == "3"
    finally:
        vdpa.delete("other")


def test_stats_are_those_of_the_kernel(api):
    # Only a device that a driver has started has any.
    api.create("d", net(1, driver="virtio_vdpa"))
    items = api.get("/v1/devices/d/stats").expect(200).json["items"]
    assert {item["queue"] for item in items} == {0, 1, 2}
    for queue in range(3):
        theirs = json.loads(vdpa.run("vdpa", "-j", "dev", "vstats", "show", "d", "qidx", str(queue)))["vstats"]["d"]
        ours = {item["name"]: item["value"] for item in items if item["queue"] == queue}
        assert ours == {name: value for name, value in theirs.items() if name in ours}
        assert set(theirs) - set(ours) <= {"queue_type"}

    api.create("idle", net(2))
    api.get("/v1/devices/idle/stats").expect(409, "not-ready")
    agree()
