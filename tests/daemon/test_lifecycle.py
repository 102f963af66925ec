# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of one device, from the request to its end."""

import re
import uuid

import pytest

from support import net_spec

MAC = "02:00:00:00:00:2a"

# What a spec has when it was not said.
DEFAULTS = {
    "driver": "vhost_vdpa",
    "persistent": True,
    "lease_seconds": 0,
    "endpoint": {"uid": 0, "gid": 0, "mode": "0600"},
}

# Class, bus driver, and what the endpoint looks like.
KINDS = [
    ("net", "vhost_vdpa", r"/dev/vhost-vdpa-\d+"),
    ("net", "virtio_vdpa", r"simeth\d+"),
    ("block", "vhost_vdpa", r"/dev/vhost-vdpa-\d+"),
    ("block", "virtio_vdpa", r"/dev/simvd\d+"),
    ("gpu", "vhost_vdpa", r"/dev/vhost-vdpa-\d+"),
    ("gpu", "virtio_vdpa", r"simvirtio\d+"),
    ("63", "vhost_vdpa", r"/dev/vhost-vdpa-\d+"),
]


@pytest.mark.parametrize("kind, driver, endpoint", KINDS)
def test_every_class_on_both_drivers(client, kind, driver, endpoint):
    device = client.create("d", {"class": kind, "driver": driver})
    status = device["status"]
    assert (status["state"], status["driver"], status["mgmtdev"]) == ("ready", driver, "sim0")
    assert status["simulated"] and status["reason"] is None
    assert re.fullmatch(endpoint, status["endpoint"])
    assert ("net" in status) == (kind == "net")
    assert "VERSION_1" in status["features"]
    assert client.device("d") == device

    client.delete("d").expect(204)
    client.get("/v1/devices/d").expect(404, "device-not-found")


def test_number_of_a_class_means_its_name(client):
    device = client.create("d", {"class": "1"})
    assert device["spec"]["class"] == "net"
    assert client.put("d", {"class": "net"}).expect(200).json == device


def test_put_creates_once(client):
    answer = client.put("d", net_spec(MAC, mtu=9000, max_vqp=4))
    device = answer.expect(201).json
    assert answer.headers["Location"] == "/v1/devices/d"
    assert answer.etag == f'"{device["revision"]}"'
    assert uuid.UUID(device["uid"]).version == 7
    assert device["generation"] == 1
    assert device["spec"] == {**DEFAULTS, "class": "net", "net": {"mac": MAC, "mtu": 9000, "max_vqp": 4}}
    assert device["status"]["net"] == {"mac": MAC, "mtu": 9000, "max_vqp": 4}

    again = client.put("d", net_spec(MAC, mtu=9000, max_vqp=4)).expect(200)
    assert again.json == device
    assert "Location" not in again.headers
    assert list(client.devices()) == ["d"]


# Specs that ask for the same, in other words.
EQUAL_SPECS = [
    {"class": "net", "net": {}},
    {"class": "net", "net": {"mac": None}, "owner": None, "labels": None, "mgmtdev": None},
    {"class": "net", **DEFAULTS},
    {"class": "net", "owner": "", "labels": {}},
    {"class": "net", "endpoint": {"mode": "600"}},
]


@pytest.mark.parametrize("spec", EQUAL_SPECS)
def test_an_equal_spec_confirms(client, spec):
    device = client.create("d", {"class": "net"})
    assert client.put("d", spec).expect(200).json == device


OTHER_SPECS = [
    {"class": "block"},
    {"class": "net", "net": {"mac": MAC}},
    {"class": "net", "driver": "virtio_vdpa"},
    {"class": "net", "owner": "vm:1"},
    {"class": "net", "labels": {"a": "b"}},
    {"class": "net", "persistent": False},
    {"class": "net", "mgmtdev": "sim0"},
    {"class": "net", "features": ["MAC", "VERSION_1"]},
    {"class": "net", "endpoint": {"uid": 1}},
]


@pytest.mark.parametrize("spec", OTHER_SPECS)
def test_another_spec_is_a_conflict(client, spec):
    device = client.create("d", {"class": "net"})
    client.put("d", spec).expect(409, "already-exists")
    assert client.device("d") == device


def test_put_takes_the_name_in_the_body(client):
    client.request("PUT", "/v1/devices/d", {"name": "d", "spec": {"class": "net"}}).expect(201)


def test_post(client):
    named = client.request("POST", "/v1/devices", {"name": "d", "spec": {"class": "net"}}).expect(201)
    assert named.headers["Location"] == "/v1/devices/d"
    client.request("POST", "/v1/devices", {"name": "d", "spec": {"class": "net"}}).expect(200)
    other = {"name": "d", "spec": {"class": "gpu"}}
    client.request("POST", "/v1/devices", other).expect(409, "already-exists")

    names = set()
    for _ in range(20):
        answer = client.request("POST", "/v1/devices", {"spec": {"class": "net"}}).expect(201)
        names.add(answer.json["name"])
        assert client.get(answer.headers["Location"]).expect(200).json == answer.json
    assert len(names) == 20
    assert set(client.devices()) == names | {"d"}


def test_features_are_what_was_asked_for(client):
    spec = net_spec(MAC, features=["VERSION_1", "MAC", "MTU", "VERSION_1"])
    device = client.create("d", spec)
    assert device["spec"]["features"] == device["status"]["features"] == ["MTU", "MAC", "VERSION_1"]


def test_get_knows_what_the_client_has(client):
    revision = client.create("d", {"class": "net"})["revision"]
    path = "/v1/devices/d"
    for tags in (f'"{revision}"', f'W/"{revision}"', f'"1", "{revision}"', "*"):
        answer = client.request("GET", path, headers={"If-None-Match": tags}).expect(304)
        assert answer.etag == f'"{revision}"'
    for tags in (f'"{revision - 1}"', f'"{revision}0"', str(revision)):
        client.request("GET", path, headers={"If-None-Match": tags}).expect(200)


def test_head_is_get_without_a_body(client):
    client.create("d", {"class": "net"})
    for path in ("/v1/devices", "/v1/devices/d", "/v1/mgmtdevs/sim0", "/v1/host", "/openapi.yaml"):
        head, get = client.request("HEAD", path).expect(200), client.get(path).expect(200)
        assert head.headers["Content-Length"] == get.headers["Content-Length"]
        assert head.etag == get.etag
    client.request("HEAD", "/v1/devices/no").expect(404)


def test_patch(client):
    before = client.create("d", net_spec(MAC, owner="a", labels={"x": "1", "y": "2"}))
    after = client.patch("d", {"net": {"mac": "02:00:00:00:00:FF"}}).expect(200)
    assert after.json["spec"]["net"]["mac"] == after.json["status"]["net"]["mac"] == "02:00:00:00:00:ff"
    assert after.json["generation"] == before["generation"] + 1
    assert after.json["revision"] > before["revision"]
    assert (after.json["uid"], after.json["created"]) == (before["uid"], before["created"])
    assert after.etag == f'"{after.json["revision"]}"'

    steps = [
        ({"owner": "b"}, "b", {"x": "1", "y": "2"}),
        ({"labels": {"x": None, "z": "3"}}, "b", {"y": "2", "z": "3"}),
        ({"owner": None}, None, {"y": "2", "z": "3"}),
        ({"owner": "c", "labels": {"y": "4"}, "net": {"mac": MAC}}, "c", {"y": "4", "z": "3"}),
        ({"labels": None}, "c", None),
        ({"owner": ""}, None, None),
    ]
    for patch, owner, labels in steps:
        spec = client.patch("d", patch).expect(200).json["spec"]
        assert (spec.get("owner"), spec.get("labels")) == (owner, labels)
    assert client.device("d")["status"]["net"]["mac"] == MAC


def test_patch_that_changes_nothing(client):
    device = client.create("d", net_spec(MAC, owner="a", labels={"x": "1"}))
    same = [{}, {"owner": "a"}, {"net": {"mac": MAC}}, {"labels": {"x": "1"}}, {"labels": {"no": None}}]
    for patch in [*same, device["spec"]]:
        assert client.patch("d", patch).expect(200).json == device
    merge_patch = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    client.request("PATCH", "/v1/devices/d", {"spec": {"owner": "b"}}, merge_patch).expect(200)


IMMUTABLE = [
    ({"class": "block"}, None),
    ({"driver": "virtio_vdpa"}, "/spec/driver"),
    ({"mgmtdev": "sim0"}, "/spec/mgmtdev"),
    ({"net": {"mtu": 1400}}, "/spec/net/mtu"),
    ({"net": {"mac": None}}, "/spec/net/mac"),
    ({"net": {"max_vqp": 2}}, "/spec/net/max_vqp"),
    ({"features": ["MAC"]}, "/spec/features"),
    ({"persistent": False}, "/spec/persistent"),
    ({"endpoint": {"mode": "0660"}}, "/spec/endpoint/mode"),
    ({"owner": "b", "endpoint": {"uid": 7}, "driver": "virtio_vdpa"}, "/spec/endpoint/uid", "/spec/driver"),
]


@pytest.mark.parametrize("case", IMMUTABLE, ids=lambda case: "+".join(case[0]))
def test_what_patch_cannot_change(client, case):
    patch, *pointers = case
    device = client.create("d", net_spec(MAC, owner="a"))
    client.patch("d", patch).expect(400, "invalid-request", *filter(None, pointers))
    assert client.device("d") == device


def test_a_mac_address_needs_the_feature(client):
    client.create("d", {"class": "net", "features": ["VERSION_1"]})
    client.create("b", {"class": "block"})
    client.patch("d", {"net": {"mac": MAC}}).expect(400, "invalid-request", "/spec/net/mac")
    client.patch("b", {"net": {"mac": MAC}}).expect(400, "invalid-request", "/spec/net")


def test_if_match(client):
    first = client.create("d", {"class": "net"})["revision"]
    second = client.patch("d", {"owner": "a"}, If_Match=f'"{first}"').expect(200).json["revision"]
    for tag in (f'"{first}"', '"0"', f'"{second + 1}"'):
        client.patch("d", {"owner": "b"}, If_Match=tag).expect(412, "precondition-failed")
        deletion = client.request("DELETE", "/v1/devices/d", headers={"If-Match": tag})
        deletion.expect(412, "precondition-failed")
    client.patch("d", {"owner": "b"}, If_Match="*").expect(200)
    for tag in (str(second), "", '"x"', f'W/"{second}"', f'"{second}", "1"', f'"0{second}"', '"-1"'):
        client.patch("d", {"owner": "c"}, If_Match=tag).expect(400, "invalid-request", "/header/If-Match")
    assert client.device("d")["spec"]["owner"] == "b"

    third = client.device("d")["revision"]
    client.request("DELETE", "/v1/devices/d", headers={"If-Match": f'"{third}"'}).expect(204)


def test_delete(client):
    device = client.create("d", {"class": "net"})
    other = str(uuid.UUID(int=uuid.UUID(device["uid"]).int ^ 1))
    client.delete("d", uid=other).expect(412, "precondition-failed")
    assert client.device("d") == device
    client.delete("d", uid=device["uid"]).expect(204)
    client.delete("d").expect(404, "device-not-found")
    client.delete("d", uid=device["uid"]).expect(204)
    client.delete("d", uid=other).expect(404, "device-not-found")
    client.delete("d", missing_ok="false").expect(404, "device-not-found")
    client.delete("d", missing_ok="true").expect(204)
    client.patch("d", {"owner": "a"}).expect(404, "device-not-found")
    client.get("/v1/devices/d/stats").expect(404, "device-not-found")

    again = client.create("d", {"class": "net"})
    assert again["uid"] != device["uid"]
    assert again["revision"] > device["revision"]
    client.delete("d", uid=device["uid"], missing_ok="true").expect(204)
    client.delete("d", uid=device["uid"]).expect(204)
    client.delete("d", missing_ok="true").expect(204)


def test_stats(client):
    client.create("d", net_spec(max_vqp=2))
    items = client.get("/v1/devices/d/stats").expect(200).json["items"]
    assert {item["queue"] for item in items} == {0, 1, 2, 3, 4}
    assert {item["name"] for item in items} == {"received_desc", "completed_desc"}

    client.create("b", {"class": "block"})
    client.get("/v1/devices/b/stats").expect(422, "not-supported")


def test_counts_of_the_host(client):
    for i in range(3):
        client.create(f"d{i}", {"class": "net"})
    client.delete("d1").expect(204)
    host = client.host()
    assert (host["backend"], host["available"], host["reason"]) == ("sim", True, None)
    assert {state: n for state, n in host["devices"].items() if n > 0} == {"total": 2, "ready": 2}
    assert host["operations"] == 0
    assert client.mgmtdev("sim0")["budgets"]["devices"]["used"] == 2
