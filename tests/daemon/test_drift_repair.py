# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is not as it should be is put right when that is asked for, or wanted in general, and never to anyone's harm."""

import pytest

from outside import Outside
from support import net_spec, poll, sim_section

MAC, OTHER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:99"

CONFIG = sim_section("sim0") + sim_section("sim1")


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon(CONFIG)
    daemon.start()
    return daemon


@pytest.fixture
def outside(daemon):
    with Outside(daemon) as other:
        yield other


def drift(client):
    return client.drift(refresh="true")


CHANGES = {
    "mac d " + OTHER_MAC: ["set-mac"],
    "bind d virtio_vdpa": ["bind"],
    "unbind d": ["bind"],
    "chown d 7:8:0660": ["publish"],
    "del d": ["create"],
}


@pytest.mark.parametrize("change", CHANGES)
def test_repair(client, outside, change):
    before = client.create("d", net_spec(MAC, mgmtdev="sim0", mtu=9000))
    outside.ask(*change.split())
    kind = drift(client)[0]["kind"]
    plan = {"name": "d", "kind": kind, "repairs": CHANGES[change], "status": 200}
    assert client.repair(dry_run=True) == {"d": plan} and len(drift(client)) == 1
    assert client.repair() == {"d": plan}
    assert drift(client) == []
    after = client.device("d")
    assert (after["uid"], after["spec"]) == (before["uid"], before["spec"])
    assert after["status"]["asids"] == before["status"]["asids"] and after["status"]["net"]["mac"] == MAC
    assert client.repair() == {}


def test_in_use(daemon, client, outside):
    client.create("d", net_spec(MAC))
    outside.ask("mac", "d", OTHER_MAC)
    endpoint = daemon.runtime_dir / "sim-open" / "d"
    endpoint.mkdir()
    before = drift(client)
    result = client.repair()["d"]
    assert (result["status"], result["code"]) == (409, "in-use") and drift(client) == before
    endpoint.rmdir()
    assert client.repair()["d"]["status"] == 200 and drift(client) == []


def test_recreate_only_when_asked(daemon, client, outside):
    client.create("d", net_spec(MAC, mtu=9000, mgmtdev="sim0"))
    outside.delete("d")
    drift(client)
    outside.add("d", "sim0", net_spec(OTHER_MAC, mtu=1500))
    assert [item["repairs"] for item in drift(client)] == [["recreate"]]
    result = client.repair()["d"]
    assert (result["status"], result["code"]) == (422, "not-supported")
    endpoint = daemon.runtime_dir / "sim-open" / "d"
    endpoint.mkdir()
    assert client.repair(recreate=True)["d"]["code"] == "in-use"
    endpoint.rmdir()
    assert client.repair(recreate=True)["d"]["status"] == 200
    assert drift(client) == [] and client.device("d")["status"]["net"]["mtu"] == 9000


def test_selection(client, outside):
    for name in ("a", "b", "c"):
        client.create(name, net_spec(MAC, mgmtdev="sim0"))
    outside.delete("a")
    outside.ask("mac", "b", OTHER_MAC)
    outside.add("theirs", "sim1", net_spec())
    before = outside.show("theirs")
    drift(client)
    assert list(client.repair(dry_run=True)) == ["a", "b"]
    assert list(client.repair(kinds=["missing"])) == ["a"]
    results = client.repair(devices=["c", "theirs", "nobody", "b"], kinds=["missing"])
    assert [(r["name"], r["kind"], r["status"]) for r in results.values()] == [
        ("c", None, 200), ("theirs", "foreign", 409), ("nobody", None, 404), ("b", None, 200)]
    assert list(client.repair()) == ["b"]
    assert [item["name"] for item in drift(client)] == ["theirs"] and outside.show("theirs") == before


def test_wrong_requests(client):
    bodies = {"/devices/1": {"devices": ["a", 1]}, "/devices/0": {"devices": ["A"]}, "/devices": {"devices": {}},
              "/kinds/0": {"kinds": ["foreign"]}, "/recreate": {"recreate": 1}, "/other": {"other": 1}}
    for pointer, body in bodies.items():
        client.request("POST", "/v1/drift:repair", body).expect(400, "invalid-request", pointer)
    client.request("POST", "/v1/drift:repair?dry_run=x", {}).expect(400, "invalid-request", "/query/dry_run")
    client.request("DELETE", "/v1/drift:repair").expect(405)
    client.request("GET", "/v1/devices/x:adopt").expect(405)
    client.request("POST", "/v1/devices/X:adopt", {}).expect(400, "invalid-request", "/name")


@pytest.mark.parametrize("change", CHANGES)
def test_enforce(daemon, client, outside, change):
    before = client.create("d", net_spec(MAC, drift="enforce"))
    outside.ask(*change.split())
    poll("repaired device", lambda: "d: repaired" in daemon.log(), 10)
    assert drift(client) == [] and client.device("d")["uid"] == before["uid"]


def test_enforce_by_configuration(make_daemon):
    daemon = make_daemon(CONFIG + "[drift]\nmode = enforce\n")
    client = daemon.start()
    client.create("a", net_spec(MAC))
    client.create("b", net_spec(MAC, drift="observe"))
    with Outside(daemon) as outside:
        for name in ("a", "b"):
            outside.ask("mac", name, OTHER_MAC)
        poll("one repaired device", lambda: [item["name"] for item in drift(client)] == ["b"], 10)
        client.patch("b", {"drift": None}).expect(200)
        poll("no drift", lambda: drift(client) == [], 10)


def test_enforce_leaves_who_has_it_open(daemon, client, outside):
    client.create("d", net_spec(MAC, drift="enforce"))
    endpoint = daemon.runtime_dir / "sim-open" / "d"
    endpoint.mkdir()
    outside.ask("mac", "d", OTHER_MAC)
    poll("complaint", lambda: "d: not repaired" in daemon.log(), 10)
    assert len(drift(client)) == 1 and client.device("d")["status"]["net"]["mac"] == OTHER_MAC
    endpoint.rmdir()
    poll("repaired device", lambda: drift(client) == [], 20)


def test_adopt(daemon, client, outside):
    outside.add("theirs", "sim0", net_spec(OTHER_MAC, mtu=9000, max_vqp=2, driver="virtio_vdpa"))
    before = outside.show("theirs")
    device = client.adopt("theirs", owner="me", labels={"a": "b"}, persistent=False).expect(201).json
    assert outside.show("theirs") == before
    spec, status = device["spec"], device["status"]
    assert (spec["owner"], spec["labels"], spec["persistent"]) == ("me", {"a": "b"}, False)
    assert spec["net"] == {"mac": OTHER_MAC, "mtu": 9000, "max_vqp": 2} and spec["driver"] == "virtio_vdpa"
    assert (status["state"], len(status["asids"])) == ("ready", 2)
    assert drift(client) == [] and client.host()["devices"]["foreign"] == 0
    daemon.check()
    client = daemon.restart()
    assert client.device("theirs")["uid"] == device["uid"] and outside.show("theirs") == before
    assert drift(client) == []
    client.delete("theirs").expect(204)


def test_adopt_in_use(daemon, client, outside):
    """Its user does not notice."""
    outside.add("theirs", "sim0", net_spec())
    (daemon.runtime_dir / "sim-open" / "theirs").mkdir()
    before = outside.show("theirs")
    client.adopt("theirs", endpoint={"uid": 7, "gid": 8, "mode": "0660"}).expect(201)
    assert outside.show("theirs") == {**before, "uid": "7", "gid": "8", "mode": "660"}
    client.delete("theirs").expect(409, "in-use")


def test_adopt_what_cannot_be(client, outside):
    client.create("ours", net_spec())
    outside.add("theirs", "sim0", net_spec(OTHER_MAC, mtu=9000))
    before = outside.show("theirs")
    client.adopt("ours").expect(409, "already-exists")
    client.adopt("nobody").expect(404, "device-not-found")
    for spec in ({"net": {"mac": MAC}}, {"net": {"mtu": 1500}}, {"driver": "virtio_vdpa"}, {"mgmtdev": "sim1"}, {"class": "block"}):
        client.adopt("theirs", **spec).expect(409, "mismatch")
    client.adopt("theirs", other=1).expect(400, "invalid-request", "/spec/other")
    outside.ask("unbind", "theirs")
    client.adopt("theirs").expect(409, "mismatch")
    outside.ask("bind", "theirs", "vhost_vdpa")
    assert {**outside.show("theirs"), "endpoint": ""} == {**before, "endpoint": ""}
    client.adopt("theirs", net={"mac": OTHER_MAC}).expect(201)
