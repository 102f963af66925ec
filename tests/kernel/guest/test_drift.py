# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes behind the daemon's back on the real kernel: seen, told exactly, put right on request, foreign devices left
alone."""

import json
import os
import random
import time
from pathlib import Path

import vdpa
import vhost
from rest import Api, Connection, block, mac, net

SEED = 6012

# As many changes, or as many as a slow machine gets through in that time.
N_CHANGES = 120
SECONDS = 90

BOUND = {"vhost_vdpa", "virtio_vdpa"}

UDEV = ("systemd-udevd-control.socket", "systemd-udevd-kernel.socket", "systemd-udevd.service")


def drift(api, query="refresh=true&limit=1000"):
    items = api.get(f"/v1/drift?{query}").expect(200).json["items"]
    return {item["name"]: item for item in items}


def repair(api, **body):
    answer = api.ask("POST", "/v1/drift:repair", json.dumps(body)).expect(200).json
    return {result["name"]: result for result in answer["results"]}


def check_uevents(api):
    api.create("d", net(1))
    before = api.host()
    vdpa.bind("d", None)
    vdpa.wait_for(lambda: api.state("d") == "lost")
    item = drift(api, "limit=10")["d"]
    assert (item["kind"], item["expected"], item["observed"]) == (
        "changed", {"driver": "vhost_vdpa"}, {"driver": None})
    vdpa.add("theirs", "vdpasim_blk")
    vdpa.wait_for(lambda: api.host()["devices"]["foreign"] == before["devices"]["foreign"] + 1)
    vdpa.delete("theirs")
    vdpa.wait_for(lambda: api.host()["devices"]["foreign"] == before["devices"]["foreign"])
    assert repair(api)["d"]["status"] == 200 and api.state("d") == "ready" and drift(api) == {}
    api.delete("d").expect(204)


def test_uevents(api):
    """Seen without any look at the whole host, by the service in its sandbox."""
    check_uevents(api)


def test_uevents_without_udev(api):
    """The kernel tells of vDPA devices itself."""
    vdpa.run("systemctl", "stop", *UDEV)
    try:
        check_uevents(api)
    finally:
        vdpa.run("systemctl", "start", *UDEV)


def test_address_of_an_interface(api):
    """ip link set address: no event tells of it."""
    device = api.create("d", net(1, driver="virtio_vdpa"))
    interface = device["status"]["endpoint"]
    vdpa.run("ip", "link", "set", interface, "address", mac(99))
    items = drift(api)
    if vdpa.config("d").get("mac") == mac(99):
        assert (items["d"]["expected"], items["d"]["observed"]) == ({"mac": mac(1)}, {"mac": mac(99)})
        assert repair(api)["d"]["status"] == 200
        assert vdpa.config("d")["mac"] == mac(1)
    assert drift(api) == {}
    api.delete("d").expect(204)


def test_node_and_use(api):
    """A device that is open is told of, and left as it is."""
    node = api.create("d", net(1))["status"]["endpoint"]
    os.chown(node, 7, 8)
    item = drift(api)["d"]
    assert (item["observed"], item["repairs"]) == ({"uid": 7, "gid": 8}, ["publish"])
    with vhost.opened(node) as fd:
        vhost.tell(fd, vhost.SET_STATUS, vhost.STATUS_IN_USE)
        assert repair(api)["d"]["code"] == "in-use"
        assert vhost.ask(fd, vhost.GET_STATUS) == vhost.STATUS_IN_USE
        assert Path(node).stat().st_uid == 7
    assert repair(api)["d"]["status"] == 200 and Path(node).stat().st_uid == 0
    api.delete("d").expect(204)


def test_adopt_while_it_is_open(api):
    """Its user does not notice."""
    vdpa.add("theirs", "vdpasim_net", mac=mac(5))
    if vdpa.driver("theirs") != "vhost_vdpa":
        vdpa.bind("theirs", vdpa.VHOST_VDPA)
    with vhost.opened(vdpa.vhost_node("theirs")) as fd:
        vhost.tell(fd, vhost.SET_STATUS, vhost.STATUS_IN_USE)
        body = json.dumps({"spec": {"owner": "me", "net": {"mac": mac(5)}}})
        device = api.ask("POST", "/v1/devices/theirs:adopt", body).expect(201).json
        assert vhost.ask(fd, vhost.GET_STATUS) == vhost.STATUS_IN_USE
    assert (device["spec"]["owner"], device["spec"]["net"]["mac"]) == ("me", mac(5))
    assert drift(api) == {}
    api.delete("theirs").expect(204)
    assert "theirs" not in vdpa.devices()


def change(rng, name, mgmtdev):
    """One change with the tools of the host."""
    if not vdpa.exists(name):
        vdpa.add(name, mgmtdev)
        return
    action = rng.choice(("del", "bind", "unbind", "chown"))
    if action == "del":
        vdpa.delete(name)
    elif action == "bind" and vdpa.driver(name) not in BOUND:
        vdpa.bind(name, vdpa.VHOST_VDPA)
    elif action == "unbind":
        vdpa.bind(name, None)
    elif vdpa.driver(name) == "vhost_vdpa":
        os.chown(vdpa.vhost_node(name), rng.randrange(3), rng.randrange(3))


def expected(ours, theirs):
    """The kinds of drift by name, and what differs, from what the host shows."""
    found = {}
    for name in ours:
        if not vdpa.exists(name):
            found[name] = ("missing", None)
        elif vdpa.driver(name) != "vhost_vdpa":
            found[name] = ("changed", {"driver": vdpa.driver(name)})
        else:
            stat = Path(vdpa.vhost_node(name)).stat()
            differs = {key: value for key, value in (("uid", stat.st_uid), ("gid", stat.st_gid)) if value}
            if differs:
                found[name] = ("changed", differs)
    found.update({name: ("foreign", {"mgmtdev": theirs[name], "class": "block"}) for name in theirs if vdpa.exists(name)})
    return found


def test_random_changes(api):
    api = Api(Connection().ask)
    rng, end, n_changes = random.Random(SEED), time.monotonic() + SECONDS, 0
    ours = {f"d{i}": "vdpasim_blk" for i in range(4)}
    theirs = {f"f{i}": "vdpasim_blk" for i in range(3)}
    for name in ours:
        api.create(name, block())
    try:
        while n_changes < N_CHANGES and time.monotonic() < end:
            n_changes += 1
            name = rng.choice([*ours, *theirs])
            change(rng, name, "vdpasim_blk")
            before = {other: vdpa.driver(other) for other in theirs if vdpa.exists(other)}
            items = {name: (item["kind"], item["observed"]) for name, item in drift(api).items()}
            assert items == expected(ours, theirs), f"change {n_changes}, of {name}"
            assert {other: vdpa.driver(other) for other in theirs if vdpa.exists(other)} == before
        print(f"{n_changes} changes, seed {SEED}")
        repair(api, recreate=True)
        assert set(drift(api)) <= set(theirs)
    finally:
        for name in theirs:
            if vdpa.exists(name):
                vdpa.delete(name)
    for name in ours:
        api.delete(name).expect(204)
