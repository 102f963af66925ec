# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices that others have made: seen, counted, and never touched."""

import contextlib
import json
import os
import threading

import pytest

import service
import vdpa
import vhost
from agreement import agree
from rest import Api, Connection, block, mac, net


def portrait(name):
    """All that can be seen of a device. A device made again would have another inode, a reset one another status."""
    directory = vdpa.BUS / "devices" / name
    return {
        "shown": vdpa.devices()[name],
        "config": vdpa.config(name),
        "driver": vdpa.driver(name),
        "override": (directory / "driver_override").read_text(),
        "inode": directory.stat().st_ino,
        "entries": sorted(entry.name for entry in directory.iterdir()),
    }


@pytest.fixture
def foreign(api):
    """The portraits of foreign devices: one that nobody uses, one that a VM uses, one for the host itself, one without
    any driver."""
    names = ["idle", "vm", "host", "unbound"]
    vdpa.add("idle", "vdpasim_net", mac=mac(901))
    vdpa.add("vm", "vdpasim_blk")
    vdpa.add("host", "vdpasim_net", mac=mac(902))
    vdpa.add("unbound", "vdpasim_net")
    vdpa.bind("host", vdpa.VIRTIO_VDPA)
    vdpa.bind("unbound", None)
    vdpa.run("udevadm", "settle")
    try:
        with vhost.opened(vdpa.vhost_node("vm")) as fd:
            vhost.tell(fd, vhost.SET_STATUS, vhost.STATUS_IN_USE)
            before = {name: portrait(name) for name in names}
            yield before
            assert {name: portrait(name) for name in names} == before
            assert vhost.ask(fd, vhost.GET_STATUS) == vhost.STATUS_IN_USE
    finally:
        for name in names:
            with contextlib.suppress(RuntimeError):
                vdpa.delete(name)


def test_foreign_devices_are_counted(api, foreign):
    api.create("d", net(1))
    agree(foreign=foreign)
    assert api.host()["devices"]["foreign"] == 4
    assert api.mgmtdevs()["vdpasim_net"]["foreign_devices"] == 3
    assert api.mgmtdevs()["vdpasim_blk"]["foreign_devices"] == 1
    service.restart()
    agree(foreign=foreign)
    api.delete("d").expect(204)
    agree(foreign=foreign)


def test_name_of_a_foreign_device(foreign):
    api = Api(Connection().ask)
    for name in foreign:
        for spec in (net(1), net(1, driver="virtio_vdpa"), block()):
            detail = api.put(name, spec).expect(409, "foreign-device").detail
            assert name in detail and "nothing was made" in detail
            api.get(f"/v1/devices/{name}").expect(404, "device-not-found")
        api.delete(name).expect(404, "device-not-found")
        api.delete(name, "?missing_ok=true").expect(204)
    agree(foreign=foreign)
    service.restart()
    agree(foreign=foreign)


def test_names_amid_a_batch(api, foreign):
    """The kernel is asked for devices before it is their turn; not for what others have."""
    names = ["a0", "a1", "vm", "a2", "a3", "unbound", "idle", "a4", "a5", "a6", "host", "a7"]
    items = [{"name": name, "spec": net(n)} for n, name in enumerate(names)]
    answer = Connection().ask("POST", "/v1/devices:batchCreate", json.dumps({"devices": items})).expect(200)
    results = answer.json["results"]
    assert {result["name"]: result["status"] for result in results} == {name: 409 if name in foreign else 201 for name in names}
    assert set(agree(foreign=foreign)) == set(names) - set(foreign)


@contextlib.contextmanager
def others_at_work():
    """Somebody makes and deletes a device, over and over."""
    is_over = threading.Event()

    def make_and_delete():
        while not is_over.is_set():
            vdpa.add("theirs", "vdpasim_blk")
            vdpa.delete("theirs")

    thread = threading.Thread(target=make_and_delete)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_batch_while_others_make_devices(api):
    """The kernel numbers their nodes and ours together: each device has its own one all the same, and nobody else's owner
    or address."""
    items = [{"name": f"d{n}", "spec": net(n, endpoint={"uid": 1000 + n})} for n in range(60)]
    with others_at_work():
        answer = Connection().ask("POST", "/v1/devices:batchCreate", json.dumps({"devices": items})).expect(200)
    for n, result in enumerate(answer.json["results"]):
        node = result["device"]["status"]["endpoint"]
        assert node == str(vdpa.vhost_node(f"d{n}"))
        assert os.stat(node).st_uid == 1000 + n and vdpa.config(f"d{n}")["mac"] == mac(n)
    agree()


def test_namesake_since_the_last_look(api):
    """Someone deletes ours and makes another of the name elsewhere: to delete ours does not delete that."""
    api.create("d", net(1, mgmtdev="vdpasim_net"))
    vdpa.delete("d")
    vdpa.add("d", "vdpasim_blk")
    try:
        foreign = {"d": portrait("d")}
        api.delete("d").expect(204)
        assert portrait("d") == foreign["d"]
        agree(foreign=foreign)
        api.put("d", net(1)).expect(409, "foreign-device")
    finally:
        vdpa.delete("d")


def test_kill_while_foreign_names_are_asked_for(api, foreign):
    """An intent that is found at the start must not make the foreign device ours."""
    service.stop()
    insert = ("INSERT INTO device (name, uid, revision, created_revision, created_usec, generation, state, mgmtdev, spec,"
              " reason_code, reason) SELECT '{0}', '01a20326-2b71-7747-88fe-ad97b4de66{1}', 1, 1, 1, 1, '{2}', 'vdpasim_blk',"
              " '{{\"class\":\"block\"}}', '', '';")
    statements = [insert.format(name, f"{n:02x}", state)
                  for n, (name, state) in enumerate([("idle", "creating"), ("host", "deleting"), ("unbound", "ready")])]
    vdpa.run("sqlite3", str(service.DATABASE), "".join(statements))
    service.start()
    states = {name: device["status"]["state"] for name, device in api.devices().items()}
    assert states == {"idle": "failed", "unbound": "lost"}
    for name in states:
        assert api.device(name)["status"]["reason"]["code"] == "foreign-device"
        api.delete(name).expect(204)
    agree(foreign=foreign)
