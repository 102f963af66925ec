# SPDX-License-Identifier: LGPL-2.1-or-later
"""A backend that fails: what failed and what was done about it is told, and nothing is left behind."""

import shutil
import sqlite3
import uuid

import pytest

from support import net_spec, patient, poll, sim_section

NET = {"class": "net"}


def assert_nothing_left(client):
    assert client.devices() == {}
    assert client.host()["devices"]["total"] == client.host()["devices"]["foreign"] == 0
    mgmtdev = client.mgmtdev("sim0")
    assert mgmtdev["foreign_devices"] == mgmtdev["budgets"]["devices"]["used"] == 0


# The command that fails, and what is said to have been done then.
COMMANDS = [("create", "nothing was made"), ("bind", "was removed again"), ("publish", "was removed again")]


@pytest.mark.parametrize("driver", ["vhost_vdpa", "virtio_vdpa"])
@pytest.mark.parametrize("command, done", COMMANDS)
def test_a_creation_that_fails(make_daemon, command, done, driver):
    """Every second one does; so the same name can be had with the next request."""
    daemon = make_daemon(sim_section("sim0", **{f"fail_{command}": 2}))
    client = daemon.start()
    spec = net_spec(driver=driver)
    for _ in range(3):
        first = client.create("d", spec)
        client.delete("d").expect(204)
        answer = client.put("d", spec).expect(502, "backend-failed")
        assert f"failed the {command} command" in answer.json["detail"] and done in answer.json["detail"]
        client.get("/v1/devices/d").expect(404)
        assert_nothing_left(client)
    assert client.create("d", spec)["uid"] != first["uid"]

    client = daemon.restart()
    assert list(client.devices()) == ["d"]
    assert client.mgmtdev("sim0")["foreign_devices"] == 0


@pytest.mark.parametrize("command", ["bind", "publish"])
def test_a_creation_that_cannot_be_undone(make_daemon, command):
    """The device is kept for the user to see, to be deleted or made ready when the backend works again."""
    broken = sim_section("sim0", **{f"fail_{command}": 1, "fail_destroy": 1})
    daemon = make_daemon(broken)
    client = daemon.start()
    for name in ("a", "b"):
        answer = client.put(name, NET).expect(502, "backend-failed")
        assert "could not be removed again" in answer.json["detail"] and "destroy" in answer.json["detail"]
    failed = client.devices(state="failed")
    assert list(failed) == ["a", "b"]
    assert failed["a"]["status"]["reason"]["code"] == "backend-failed"
    assert client.mgmtdev("sim0")["foreign_devices"] == 0
    client.delete("a").expect(502, "backend-failed")
    assert client.device("a")["status"]["state"] == "failed"

    client = daemon.restart()
    assert list(client.devices(state="failed")) == ["a", "b"]
    daemon.stop()
    daemon.configure("")
    client = daemon.start()
    client.delete("a").expect(204)
    ready = client.put("b", NET).expect(201).json
    assert (ready["uid"], ready["status"]["state"]) == (failed["b"]["uid"], "ready")
    assert ready["status"]["reason"] is None
    client.delete("b").expect(204)
    assert_nothing_left(client)


def test_a_deletion_that_fails(make_daemon):
    daemon = make_daemon(sim_section("sim0", fail_destroy=1))
    client = daemon.start()
    device = client.create("d", NET)
    for _ in range(2):
        answer = client.delete("d").expect(502, "backend-failed")
        assert "failed the destroy command" in answer.json["detail"]
    daemon.kill9()
    daemon.configure("")
    client = daemon.start()
    kept = client.device("d")
    assert (kept["uid"], kept["spec"], kept["status"]) == (device["uid"], device["spec"], device["status"])
    client.delete("d").expect(204)
    assert_nothing_left(client)


def test_a_creation_that_fails_after_a_crash(make_daemon):
    """Nobody waits for its answer any more, so it is kept to be seen."""
    daemon = make_daemon(sim_section("sim0", latency_usec=20_000_000))
    client = daemon.start()
    with client.raw() as raw:
        raw.send(b"PUT /v1/devices/d HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 b'Content-Length: 24\r\n\r\n{"spec":{"class":"net"}}')
        poll("intent on the disk", lambda: client.devices(state="creating"))
        uid = client.device("d")["uid"]
        daemon.kill9()

    daemon.configure(sim_section("sim0", fail_create=1))
    client = daemon.start()
    failed = client.device("d")
    assert (failed["uid"], failed["status"]["state"]) == (uid, "failed")
    assert "create command" in failed["status"]["reason"]["detail"]
    assert client.mgmtdev("sim0")["budgets"]["devices"]["used"] == 0
    client.get("/v1/devices/d/stats").expect(409, "not-ready")
    client.patch("d", {"owner": "a"}).expect(409, "not-ready")
    client.put("d", {"class": "gpu"}).expect(409, "already-exists")
    client.put("d", NET).expect(502, "backend-failed")
    assert client.device("d")["status"]["state"] == "failed"

    daemon.stop()
    daemon.configure("")
    client = daemon.start()
    assert client.device("d")["status"] == failed["status"]
    assert client.put("d", NET).expect(201).json["uid"] == uid


def open_endpoint(daemon, name):
    path = daemon.runtime_dir / "sim-open" / name
    path.mkdir()
    return path


@pytest.mark.parametrize("driver", ["vhost_vdpa", "virtio_vdpa"])
def test_a_device_in_use(daemon, client, driver):
    device = client.create("d", net_spec("02:00:00:00:00:2a", driver=driver))
    endpoint = open_endpoint(daemon, "d")
    for _ in range(3):
        answer = client.delete("d").expect(409, "in-use")
        assert "open" in answer.json["detail"]
        assert client.device("d")["status"] == device["status"]
    client.delete("d", uid=device["uid"], missing_ok="true").expect(409, "in-use")
    assert "holders" not in answer.json
    assert client.get("/v1/devices/d?in_use=true").expect(200).json["status"]["in_use"] is True
    (endpoint / "user").write_text("812 qemu-system-x86\n")
    answer = client.delete("d").expect(409, "in-use")
    holder = {"kind": "process", "pid": 812, "comm": "qemu-system-x86", "fd": None}
    assert answer.json["holders"] == [holder] and "(process 812, qemu-system-x86)" in answer.json["detail"]
    status = client.get("/v1/devices/d?in_use=true").expect(200).json["status"]
    assert (status["in_use"], status["holders"]) == (True, [holder])
    assert client.device("d")["status"] == device["status"] and device["status"]["in_use"] is None
    (endpoint / "user").unlink()
    client.put("d", device["spec"]).expect(200)
    client.patch("d", {"owner": "a"}).expect(200)

    daemon.kill9()
    client = daemon.start()
    kept = client.device("d")
    assert (kept["uid"], kept["status"], kept["spec"]["owner"]) == (device["uid"], device["status"], "a")
    client.delete("d").expect(409, "in-use")
    endpoint.rmdir()
    assert client.get("/v1/devices/d?in_use=true").expect(200).json["status"]["in_use"] is False
    client.delete("d").expect(204)
    client.get("/v1/devices/d?in_use=true").expect(404, "device-not-found")
    assert_nothing_left(client)


def test_a_crash_in_the_deletion_of_a_device_in_use(make_daemon):
    """The intent to delete is on the disk, but the device is not taken away from its user."""
    daemon = make_daemon()
    client = daemon.start()
    device = client.create("d", NET)
    daemon.stop()
    daemon.configure(sim_section("sim0", latency_usec=patient(600_000)))
    client = daemon.start()
    endpoint = open_endpoint(daemon, "d")
    with client.raw() as raw:
        raw.send(b"DELETE /v1/devices/d HTTP/1.1\r\nHost: x\r\n\r\n")
        poll("intent on the disk", lambda: client.devices(state="deleting"))
        daemon.kill9()

    daemon.configure("")
    client = daemon.start()
    kept = client.device("d")
    assert (kept["uid"], kept["status"]["state"]) == (device["uid"], "ready")
    endpoint.rmdir()
    client = daemon.restart()
    assert client.device("d") == kept
    client.delete("d").expect(204)
    assert_nothing_left(client)


def test_foreign_devices_are_counted_and_not_touched(make_daemon):
    """Who loses the database loses the devices, which are others' from then on."""
    daemon = make_daemon(sim_section("sim0", max_devices=3))
    client = daemon.start()
    client.create("a", NET)
    client.create("b", NET)
    daemon.stop()
    shutil.rmtree(daemon.state_dir)

    client = daemon.start()
    assert client.devices() == {}
    assert client.host()["devices"]["foreign"] == client.mgmtdev("sim0")["foreign_devices"] == 2
    budget = client.mgmtdev("sim0")["budgets"]["devices"]
    assert (budget["total"], budget["used"], budget["free"]) == (3, 2, 1)
    client.put("a", NET).expect(409, "foreign-device")
    client.delete("a").expect(404)
    assert client.devices() == {}
    # The hardware tells what they hold, and nobody else is given that.
    poll("what they hold", lambda: client.mgmtdev("sim0")["budgets"]["vqs"]["used"] == 6)
    client.create("c", NET)
    client.put("d", NET).expect(409, "no-capacity")
    client.delete("c").expect(204)

    daemon.kill9()
    client = daemon.start()
    assert client.mgmtdev("sim0")["foreign_devices"] == 2


def after_reboot(daemon):
    """The runtime directory is empty, and the last start was in another boot."""
    shutil.rmtree(daemon.runtime_dir)
    with sqlite3.connect(daemon.database) as database:
        database.execute("UPDATE meta SET value = ? WHERE key = 'boot_id'", [str(uuid.uuid4())])
    database.close()


def test_a_reboot(daemon, client):
    """Persistent devices are made again, as they were; the others are gone."""
    before = {
        "a": client.create("a", net_spec("02:00:00:00:00:2a", mtu=9000, owner="x", labels={"y": "z"})),
        "b": client.create("b", {"class": "block", "driver": "virtio_vdpa"}),
    }
    client.create("c", {"class": "net", "persistent": False})
    daemon.stop()
    after_reboot(daemon)

    client = daemon.start()
    after = client.devices()
    assert list(after) == ["a", "b"]
    for name, device in after.items():
        assert device["status"]["state"] == "ready" and device["status"]["endpoint"]
        for key in ("uid", "spec", "created", "generation"):
            assert device[key] == before[name][key]
    assert after["a"]["status"]["net"] == before["a"]["status"]["net"]
    assert daemon.restart().devices() == after


def test_devices_that_vanish_without_a_reboot_are_lost(daemon, client):
    before = client.create("a", NET)
    client.create("b", {"class": "net", "persistent": False})
    client.create("c", NET)
    daemon.stop()
    shutil.rmtree(daemon.runtime_dir)

    client = daemon.start()
    assert list(client.devices(state="lost")) == ["a", "b", "c"]
    assert client.devices() == daemon.restart().devices()
    client = daemon.client()
    again = client.put("a", NET).expect(201).json
    assert (again["uid"], again["status"]["state"]) == (before["uid"], "ready")
    client.delete("b").expect(204)
    daemon.stop()
    after_reboot(daemon)
    assert list(daemon.start().devices(state="ready")) == ["a", "c"]
