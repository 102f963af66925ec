# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pools: devices that are made ahead, claimed by whoever asks first, and given back."""

import concurrent.futures

import pytest

import audit
import simmodel
from outside import Outside
from support import net_spec, poll, sim_section

NET = {"class": "net"}
MAC = "02:00:00:00:00:2a"


@pytest.fixture
def outside(daemon):
    with Outside(daemon) as other:
        yield other


def free_devices(client, pool):
    return {name: device for name, device in client.devices().items()
            if device["status"].get("holder", "").startswith(f"pool {pool} ")}


def test_is_filled_and_says_so(client):
    pool = client.put_pool("web", {"device": NET, "high": 6})
    assert pool["spec"] == {"device": client.pool("web")["spec"]["device"], "low": 3, "high": 6, "on_return": "scrub"}
    client.wait_for_pool("web", 6)
    free = free_devices(client, "web")
    assert len(free) == 6 and all(name.startswith("web-") for name in free)
    assert {device["status"]["state"] for device in free.values()} == {"ready"}
    assert all("owner" not in device["spec"] for device in free.values())
    assert [item["name"] for item in client.get("/v1/pools").expect(200).json["items"]] == ["web"]


def test_claim(client):
    client.put_pool("web", {"device": NET, "low": 1, "high": 3})
    client.wait_for_pool("web", 3)
    asked = {"owner": "vm:1", "labels": {"a": "b"}, "lease_seconds": 600, "net": {"mac": MAC},
             "endpoint": {"uid": 107, "gid": 108, "mode": "0660"}, "drift": "enforce"}
    answer = client.claim("web", asked).expect(201)
    device = answer.json
    assert answer.headers["Location"] == f"/v1/devices/{device['name']}" and answer.etag == f'"{device["revision"]}"'
    assert {**device["spec"], **asked} == device["spec"] and device["status"]["net"]["mac"] == MAC
    assert "holder" not in device["status"] and device["status"]["lease"]["remaining_seconds"] > 590
    assert client.device(device["name"])["uid"] == device["uid"]
    # A claim without anything takes a device as it is.
    plain = client.request("POST", "/v1/pools/web:claim").expect(201).json
    assert plain["name"] != device["name"] and "owner" not in plain["spec"]
    status = client.pool("web")["status"]
    assert status["claims"] == 2 and status["sets_mac"] is True
    # From then on it is one like any other.
    client.patch(device["name"], {"owner": "vm:2"}).expect(200)
    client.delete(device["name"]).expect(204)


def test_low_and_high(client):
    client.put_pool("web", {"device": NET, "low": 2, "high": 4})
    client.wait_for_pool("web", 4)
    for n_left in (3, 2):
        client.claim("web").expect(201)
        client.wait_for_pool("web", n_left)
        assert client.pool("web")["status"]["filling"] is False
    client.claim("web").expect(201)
    client.wait_for_pool("web", 4)
    # Higher marks count at once; lower ones take nothing away.
    assert client.put_pool("web", {"device": NET, "low": 6, "high": 6}, 200)["spec"]["low"] == 6
    client.wait_for_pool("web", 6)
    client.put_pool("web", {"device": NET, "low": 1, "high": 1}, 200)
    client.wait_for_pool("web", 6)
    assert client.put_pool("web", {"device": NET, "low": 1, "high": 1}, 200)["uid"] == client.pool("web")["uid"]


def test_empty(make_daemon):
    client = make_daemon(sim_section("sim0", max_devices=2)).start()
    client.put_pool("web", {"device": NET, "high": 4})
    client.wait_for_pool("web", 2)
    status = poll("reason", lambda: (lambda s: s if s["reason"] else None)(client.pool("web")["status"]))
    assert status["filling"] and status["reason"]["code"] == "no-capacity"
    for _ in range(2):
        client.claim("web").expect(201)
    answer = client.claim("web").expect(503, "pool-empty")
    # D-Bus has no fields for that.
    assert int(answer.headers.get("Retry-After", 0)) >= 0
    assert client.pool("web")["status"]["misses"] == 1
    # When there is room again, it is filled again, by itself.
    for name in client.devices():
        client.delete(name).expect(204)
    client.wait_for_pool("web", 2)


def test_no_two_get_the_same(client):
    client.put_pool("web", {"device": NET, "low": 20, "high": 40})
    client.wait_for_pool("web", 40)
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda i: client.claim("web", {"owner": f"vm:{i}"}), range(120)))
    names = [answer.json["name"] for answer in answers if answer.status == 201]
    assert {answer.status for answer in answers} <= {201, 503}
    assert len(names) >= 40 and len(set(names)) == len(names)
    assert not set(names) & free_devices(client, "web").keys()
    owners = [device["spec"]["owner"] for name, device in client.devices().items() if name in names]
    assert len(set(owners)) == len(names)


def test_return(make_daemon):
    daemon = make_daemon("")
    client = daemon.start()
    client.put_pool("web", {"device": NET, "low": 1, "high": 2})
    client.wait_for_pool("web", 2)
    device = client.claim("web", {"owner": "vm:1", "net": {"mac": MAC}, "lease_seconds": 600,
                                  "endpoint": {"uid": 107, "mode": "0666"}}).expect(201).json
    client.give_back("web", device["name"], device["uid"]).expect(204)
    again = client.device(device["name"])
    assert again["uid"] != device["uid"] and again["generation"] == 1 and again["status"]["state"] == "ready"
    assert again["spec"] == client.pool("web")["spec"]["device"] and again["status"]["lease"] is None
    assert again["status"]["net"]["mac"] not in (MAC, None)
    assert [again["status"][key] for key in ("asids", "msis")] == [device["status"][key] for key in ("asids", "msis")]
    slot, = [d for d in simmodel.Model(daemon.runtime_dir / simmodel.NAME).devices if d.name == device["name"]]
    assert (slot.uid, slot.mode, slot.driver) == (0, 0o600, "vhost_vdpa") and slot.mac == again["status"]["net"]["mac"]
    # Who has held on to the old uid hits nobody: the device is gone, as far as he is concerned.
    client.give_back("web", device["name"], device["uid"]).expect(204)
    client.delete(device["name"], uid=device["uid"]).expect(204)
    assert client.device(device["name"])["uid"] == again["uid"]
    client.patch(device["name"], {"owner": "vm:1"}, If_Match=f'"{device["revision"]}"').expect(412)
    assert client.pool("web")["status"]["returns"] == 1


def test_return_to_one_that_destroys_or_is_full(client):
    client.put_pool("web", {"device": NET, "low": 1, "high": 2, "on_return": "destroy"})
    client.wait_for_pool("web", 2)
    device = client.claim("web").expect(201).json
    client.give_back("web", device["name"]).expect(204)
    client.get(f"/v1/devices/{device['name']}").expect(404)
    # One that somebody has made himself can be given, too, if there is a place for it.
    client.put_pool("full", {"device": NET, "high": 1})
    client.wait_for_pool("full", 1)
    client.create("mine", NET)
    client.give_back("full", "mine").expect(204)
    client.get("/v1/devices/mine").expect(404)


def test_return_is_refused(client):
    client.put_pool("web", {"device": NET, "high": 2})
    client.wait_for_pool("web", 2)
    free = next(iter(free_devices(client, "web")))
    client.create("other", net_spec(mtu=9000))
    client.create("block", {"class": "block"})
    client.give_back("web", free).expect(409, "mismatch")
    for name in ("other", "block"):
        client.give_back("web", name).expect(409, "mismatch")
    client.give_back("web", "none").expect(404, "device-not-found")
    client.give_back("none", "other").expect(404, "pool-not-found")
    device = client.claim("web").expect(201).json
    client.give_back("web", device["name"], client.device("other")["uid"]).expect(412, "precondition-failed")
    assert client.device(device["name"])["uid"] == device["uid"]


def test_return_in_use(make_daemon):
    daemon = make_daemon("")
    client = daemon.start()
    client.put_pool("web", {"device": NET, "low": 1, "high": 2})
    client.wait_for_pool("web", 2)
    device = client.claim("web", {"owner": "vm:1"}).expect(201).json
    path = daemon.runtime_dir / "sim-open" / device["name"]
    path.mkdir()
    client.give_back("web", device["name"]).expect(409, "in-use")
    kept = client.device(device["name"])
    assert kept["uid"] == device["uid"] and kept["spec"]["owner"] == "vm:1" and kept["status"]["state"] == "ready"
    path.rmdir()
    client.give_back("web", device["name"]).expect(204)


@pytest.mark.parametrize("spec, pointers", [
    ({"high": 1}, ["/spec/device"]),
    ({"device": NET}, ["/spec/high"]),
    ({"device": NET, "high": 0}, ["/spec/high"]),
    ({"device": NET, "high": 1048577}, ["/spec/high"]),
    ({"device": NET, "low": 3, "high": 2}, ["/spec/low"]),
    ({"device": NET, "low": 0, "high": 2}, ["/spec/low"]),
    ({"device": NET, "high": 2, "on_return": "keep"}, ["/spec/on_return"]),
    ({"device": NET, "high": 2, "more": 1}, ["/spec/more"]),
    ({"device": {"class": "net", "owner": "a", "labels": {"a": "b"}, "lease_seconds": 1, "net": {"mac": MAC}}, "high": 2},
     ["/spec/device/labels", "/spec/device/lease_seconds", "/spec/device/net/mac", "/spec/device/owner"]),
    ({"device": {"class": "net", "mtu": 1}, "high": "2"}, ["/spec/device/mtu", "/spec/high"]),
])
def test_bad_pool(client, spec, pointers):
    client.request("PUT", "/v1/pools/web", {"spec": spec}).expect(400, "invalid-request", *pointers)
    client.get("/v1/pools/web").expect(404, "pool-not-found")


@pytest.mark.parametrize("name", ["Web", "-a", "a" * 41, "a%2Fb", "a b"])
def test_bad_name(client, name):
    target = f"/v1/pools/{name.replace(' ', '%20')}"
    for method, path, body in (("GET", target, None), ("PUT", target, {"spec": {"device": NET, "high": 1}}),
                               ("DELETE", target, None), ("POST", f"{target}:claim", {})):
        client.request(method, path, body).expect(400, "invalid-request", "/name")


@pytest.mark.parametrize("spec, status, code, pointers", [
    ({"driver": "virtio_vdpa"}, 400, "invalid-request", ["/spec/driver"]),
    ({"net": {"mtu": 1400}}, 400, "invalid-request", ["/spec/net/mtu"]),
    ({"net": {"mac": "ff:ff:ff:ff:ff:ff"}}, 400, "invalid-request", ["/spec/net/mac"]),
    ({"endpoint": {"mode": "9"}}, 400, "invalid-request", ["/spec/endpoint/mode"]),
    ({"owner": "x" * 257}, 400, "invalid-request", ["/spec/owner"]),
    ({"persistent": False}, 400, "invalid-request", ["/spec/persistent"]),
])
def test_bad_claim(client, spec, status, code, pointers):
    client.put_pool("web", {"device": NET, "high": 2})
    client.wait_for_pool("web", 2)
    client.claim("web", spec).expect(status, code, *pointers)
    client.wait_for_pool("web", 2)


def test_refusals(client):
    client.claim("none").expect(404, "pool-not-found")
    client.request("DELETE", "/v1/pools/none").expect(404, "pool-not-found")
    client.put_pool("web", {"device": NET, "high": 1})
    client.put_pool("web", {"device": {"class": "block"}, "high": 1}, 409)
    client.put_pool("blocks", {"device": {"class": "block"}, "high": 1})
    client.wait_for_pool("blocks", 1)
    client.claim("blocks", {"net": {"mac": MAC}}).expect(400, "invalid-request")
    for i in range(62):
        client.put_pool(f"p{i}", {"device": NET, "high": 1})
    assert client.request("PUT", "/v1/pools/more", {"spec": {"device": NET, "high": 1}}).expect(409, "limit-reached")


def test_mac_that_cannot_be_set(make_daemon):
    """A claim that the hardware refuses leaves the device where it was; the pool says so, and the next is refused at once."""
    client = make_daemon(sim_section("sim0", fail_set_mac=2)).start()
    client.put_pool("web", {"device": NET, "low": 1, "high": 3})
    client.wait_for_pool("web", 3)
    client.claim("web", {"net": {"mac": "02:00:00:00:00:01"}}).expect(201)
    before = free_devices(client, "web")
    client.claim("web", {"owner": "vm:1", "net": {"mac": MAC}}).expect(502, "backend-failed")
    client.wait_for_pool("web", 2)
    after = free_devices(client, "web")
    assert {name: device["spec"] for name, device in after.items()} == {name: d["spec"] for name, d in before.items()}
    client.claim("web", {"owner": "vm:1", "net": {"mac": MAC}}).expect(201)
    # Without the feature there is no address.
    client.put_pool("plain", {"device": {"class": "net", "features": ["VERSION_1", "ACCESS_PLATFORM"]}, "high": 1})
    client.wait_for_pool("plain", 1)
    client.claim("plain", {"net": {"mac": MAC}}).expect(400, "invalid-request", "/spec/net/mac")


def test_quota(make_daemon):
    client = make_daemon("[limits]\nmax_devices_per_owner = 2\n").start()
    client.put_pool("web", {"device": NET, "low": 1, "high": 4})
    client.wait_for_pool("web", 4)
    for _ in range(2):
        client.claim("web", {"owner": "vm:1"}).expect(201)
    client.claim("web", {"owner": "vm:1"}).expect(409, "limit-reached")
    client.claim("web", {"owner": "vm:2"}).expect(201)


def test_idempotency(make_daemon):
    daemon = make_daemon("")
    client = daemon.start()
    client.put_pool("web", {"device": NET, "low": 1, "high": 3})
    client.wait_for_pool("web", 3)
    first = client.claim("web", {"owner": "vm:1"}, key="k").expect(201)
    second = client.claim("web", {"owner": "vm:1"}, key="k").expect(201)
    assert first.json["uid"] == second.json["uid"] and second.headers.get("Idempotency-Replayed", "true") == "true"
    client.claim("web", {"owner": "vm:2"}, key="k").expect(422, "key-reused")
    daemon.kill9()
    client = daemon.start()
    assert client.claim("web", {"owner": "vm:1"}, key="k").expect(201).json["uid"] == first.json["uid"]
    # The pool was filled again, so that there is no place.
    client.wait_for_pool("web", 3)
    client.claim("web").expect(201)
    name, uid = first.json["name"], first.json["uid"]
    for _ in range(2):
        client.give_back("web", name, uid, key="r").expect(204)
    assert client.device(name)["uid"] != uid
    client.claim("web", {"owner": "vm:1"}, key="k").expect(410, "device-gone")


def test_outlives_the_daemon(make_daemon):
    daemon = make_daemon("")
    client = daemon.start()
    client.put_pool("web", {"device": NET, "low": 2, "high": 5})
    client.wait_for_pool("web", 5)
    claimed = client.claim("web", {"owner": "vm:1"}).expect(201).json
    free = free_devices(client, "web")
    pool = client.pool("web")
    daemon.kill9()
    client = daemon.start()
    client.wait_for_pool("web", 5)
    again = client.pool("web")
    assert [again[key] for key in ("uid", "created", "spec")] == [pool[key] for key in ("uid", "created", "spec")]
    uids = {name: device["uid"] for name, device in free_devices(client, "web").items()}
    assert {name: device["uid"] for name, device in free.items()}.items() < uids.items()
    assert client.device(claimed["name"])["spec"] == claimed["spec"]
    assert audit.Audit(daemon.state_dir, daemon.runtime_dir, f"unix:{daemon.socket}").run() == []


def test_remove(make_daemon):
    """Its free devices go, those that were claimed stay; also if the daemon dies before they are gone."""
    daemon = make_daemon(sim_section("sim0", latency_create_usec=20000))
    client = daemon.start()
    client.put_pool("web", {"device": NET, "low": 1, "high": 20})
    poll("free devices", lambda: client.pool("web")["status"]["free"] >= 10)
    claimed = client.claim("web").expect(201).json
    client.request("DELETE", "/v1/pools/web").expect(204)
    client.get("/v1/pools/web").expect(404)
    daemon.kill9()
    client = daemon.start()
    poll("end of the free devices", lambda: client.devices().keys() == {claimed["name"]})
    # A pool of the same name is another one.
    client.put_pool("web", {"device": {"class": "block"}, "high": 1})
    client.wait_for_pool("web", 1)
    client.give_back("web", claimed["name"]).expect(409, "mismatch")


def test_what_is_lost_is_made_again(client, outside):
    client.put_pool("web", {"device": NET, "low": 3, "high": 3})
    client.wait_for_pool("web", 3)
    gone, *left = free_devices(client, "web")
    outside.delete(gone)
    poll("other device", lambda: gone not in client.devices())
    client.wait_for_pool("web", 3)
    assert set(left) < free_devices(client, "web").keys()


def test_requests_come_first(make_daemon):
    """Beside a pool that is being filled, a creation waits for one device of it at the most."""
    client = make_daemon(sim_section("sim0", latency_create_usec=20000)).start()
    client.put_pool("web", {"device": NET, "high": 200})
    for i in range(5):
        before = client.pool("web")["status"]
        client.create(f"d{i}", NET)
        after = client.pool("web")["status"]
        assert after["free"] + after["making"] <= before["free"] + before["making"] + 3
    assert client.pool("web")["status"]["filling"]
