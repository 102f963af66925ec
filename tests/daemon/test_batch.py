# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many devices in one request: as many answers as items, and all or nothing where that is asked for."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import SLOW, net_spec, poll, scaled, sim_section

NET = {"class": "net"}
CREATE = "/v1/devices:batchCreate"
DELETE = "/v1/devices:batchDelete"
LINES = {"Accept": "application/x-ndjson", "Content-Type": "application/json"}


def items(n, spec=NET, prefix="d"):
    return [{"name": f"{prefix}{i}", "spec": spec} for i in range(n)]


def create(client, devices, **more):
    return client.request("POST", CREATE, {"devices": devices, **more})


def results(answer):
    return answer.expect(200).json["results"]


def lines(answer):
    return [json.loads(line) for line in answer.expect(200).body.splitlines()]


def codes(answers):
    return [answer.get("problem", {}).get("code", answer["status"]) for answer in answers]


def test_create_and_delete(daemon, client):
    n = scaled(600)
    made = results(create(client, items(n)))
    assert [answer["name"] for answer in made] == [f"d{i}" for i in range(n)]
    assert codes(made) == [201] * n
    assert {name: d for name, d in ((a["name"], a["device"]) for a in made)} == client.devices()

    assert codes(results(create(client, items(n)))) == [200] * n
    daemon.kill9()
    client = daemon.start()
    assert len(client.devices(state="ready")) == n

    gone = results(client.request("POST", DELETE, {"devices": [{"name": a["name"]} for a in made]}))
    assert codes(gone) == [204] * n
    assert client.devices() == {}


def test_lines(client):
    answers = lines(client.request("POST", CREATE, {"devices": items(50)}, LINES))
    assert sorted(answer["index"] for answer in answers) == list(range(50))
    assert all(answer["name"] == f"d{answer['index']}" for answer in answers)
    assert codes(answers) == [201] * 50
    answers = lines(client.request("POST", DELETE, {"devices": [{"name": "d1"}, {"name": "x"}]}, LINES))
    assert sorted(codes(answers), key=str) == [204, "device-not-found"]


def test_results_come_as_they_are_through(make_daemon):
    daemon = make_daemon(sim_section("sim0", latency_usec=100_000))
    client = daemon.start()
    body = json.dumps({"devices": items(5)}).encode()
    with client.raw() as raw:
        raw.send(b"POST " + CREATE.encode() + b" HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n"
                 b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        first = b""
        while b"index" not in first:
            first += raw.sock.recv(65536)
        assert first.count(b"index") < 5
        assert client.host()["operations"] > 0


def test_one_spec_for_many(client):
    """Of the items that have none of their own; null is none."""
    block = {"class": "block"}
    asked = [{"name": "a"}, {}, {"name": "b", "spec": block}, {"name": "c", "spec": None}]
    made = results(create(client, asked, spec={**NET, "labels": {"k": "v"}, "owner": "o"}))
    assert codes(made) == [201] * 4
    assert [answer["device"]["spec"]["class"] for answer in made] == ["net", "net", "block", "net"]
    assert [answer["device"]["spec"].get("labels") for answer in made] == [{"k": "v"}, {"k": "v"}, None, {"k": "v"}]
    again = {"name": "c", "spec": {**NET, "labels": {"k": "v"}, "owner": "o"}}
    assert codes(results(create(client, [again]))) == [200]


@pytest.mark.parametrize("body, pointers", [
    ({"devices": [{"name": "a"}]}, ["/devices/0/spec"]),
    ({"devices": [{"name": "a"}], "spec": None}, ["/devices/0/spec"]),
    ({"devices": [{"name": "a"}], "spec": 1}, ["/devices/0/spec", "/spec"]),
    ({"devices": [{"name": "a"}, {"name": "b"}], "spec": {"class": "x", "y": 1}}, ["/spec/class", "/spec/y"]),
    ({"devices": [{"name": "a", "spec": {}}], "spec": NET}, ["/devices/0/spec/class"]),
    ({"devices": [{"name": "a", "x": 1}, {"name": "a"}], "spec": NET}, ["/devices/0/x", "/devices/1/name"]),
    ({"devices": [{"name": "a", "spec": NET}], "spec": {"class": "x"}}, ["/spec/class"]),
])
def test_a_spec_for_many_that_is_wrong(client, body, pointers):
    problem = client.request("POST", CREATE, body).expect(400).json
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers
    assert client.devices() == {}


def test_no_spec_in_a_deletion(client):
    answer = client.request("POST", DELETE, {"devices": [{"name": "a"}], "spec": NET}).expect(400)
    assert [error["pointer"] for error in answer.json["errors"]] == ["/spec"]


def test_mixed(client):
    client.create("d1", {"class": "block"})
    answers = results(create(client, [*items(3), {"spec": NET}, {"name": "x", "spec": {**NET, "mgmtdev": "no/such"}}]))
    assert codes(answers) == [201, "already-exists", 201, 201, "unsatisfiable"]
    assert client.device(answers[3]["name"])["uid"] == answers[3]["device"]["uid"]
    assert client.device("d1")["spec"]["class"] == "block"


def test_delete_options(client):
    made = results(create(client, items(3)))
    uid = made[0]["device"]["uid"]
    devices = [{"name": "d0", "uid": made[1]["device"]["uid"]}, {"name": "d1", "uid": made[1]["device"]["uid"]},
               {"name": "d9"}]
    answers = results(client.request("POST", DELETE, {"devices": devices, "missing_ok": True}))
    assert codes(answers) == ["precondition-failed", 204, 204]
    assert client.device("d0")["uid"] == uid


@pytest.mark.parametrize("path, body, pointers", [
    (CREATE, {}, ["/devices"]),
    (CREATE, {"devices": []}, ["/devices"]),
    (CREATE, {"devices": {}}, ["/devices"]),
    (CREATE, {"devices": items(1), "x": 1}, ["/x"]),
    (CREATE, {"devices": items(1), "atomic": "yes"}, ["/atomic"]),
    (CREATE, {"devices": [5, {"name": "a"}]}, ["/devices/0", "/devices/1/spec"]),
    (CREATE, {"devices": [*items(2), *items(1)]}, ["/devices/2/name"]),
    (CREATE, {"devices": [{"name": "A", "spec": {"class": "net", "net": {"mtu": 1}}}]},
     ["/devices/0/name", "/devices/0/spec/net/mtu"]),
    (CREATE, {"devices": items(10_001)}, ["/devices"]),
    (DELETE, {"devices": [{}, {"name": "a", "uid": "b"}, {"name": "a", "x": 0}]},
     ["/devices/0/name", "/devices/1/uid", "/devices/2/name", "/devices/2/x"]),
])
def test_bad(client, path, body, pointers):
    client.request("POST", path, body).expect(400, "invalid-request", *pointers)
    assert client.devices() == {}


def test_sizes(make_daemon):
    client = make_daemon("[limits]\nmax_body_bytes = 1024\nmax_batch_bytes = 20000\n").start()
    limits = client.host()["limits"]
    assert (limits["max_batch_bytes"], limits["max_batch_items"]) == (20000, 10000)
    assert codes(results(create(client, items(100)))) == [201] * 100
    create(client, items(1000)).expect(413, "body-too-large")
    assert len(client.devices()) == 100


def test_atomic(client):
    client.create("d3", NET)
    before = client.device("d3")
    bad = [*items(6), {"name": "bad", "spec": {**NET, "mgmtdev": "no/such"}}]
    answers = results(create(client, bad, atomic=True))
    assert codes(answers)[:6] == ["batch-failed"] * 6 and answers[6]["status"] in (409, 422)
    poll("devices that are gone", lambda: len(client.devices()) == 1)
    assert client.device("d3") == before

    assert codes(results(create(client, items(6), atomic=True))) == [201, 201, 201, 200, 201, 201]
    assert len(client.devices(state="ready")) == 6


def test_atomic_and_full(make_daemon):
    """Nothing is left of what did not fit, and it is free again."""
    daemon = make_daemon("[resources]\nquarantine_sec = 0\n" + sim_section("sim0", classes="block", max_devices=10))
    client = daemon.start()
    answers = results(create(client, items(12, {"class": "block"}), atomic=True))
    assert set(codes(answers)) <= {"no-capacity", "batch-failed"}
    poll("devices that are gone", lambda: client.devices() == {})
    assert codes(results(create(client, items(10, {"class": "block"}), atomic=True))) == [201] * 10


@pytest.mark.parametrize("after", [0.01, 0.05, 0.1, 0.2, 0.4])
def test_atomic_killed(make_daemon, after):
    """All or nothing, whenever the daemon dies; and all if that was told."""
    daemon = make_daemon(sim_section("sim0", latency_usec=500))
    client = daemon.start()
    n = 100 if SLOW else 200
    body = json.dumps({"devices": items(n), "atomic": True}).encode()
    with client.raw() as raw:
        raw.send(b"POST " + CREATE.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 b"Content-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(after)
        daemon.kill9()
        told = b'"status":201' in raw.rest(5)

    client = daemon.start()
    poll("all or none", lambda: len(client.devices(state="ready")) == len(client.devices()) in (0, n))
    devices = client.devices()
    assert len(devices) == n or not told
    assert codes(results(create(client, items(n)))) == [200 if devices else 201] * n


def test_client_goes_away(make_daemon):
    """What it has asked for is done all the same."""
    daemon = make_daemon(sim_section("sim0", latency_usec=1000))
    client = daemon.start()
    body = json.dumps({"devices": items(100, net_spec(owner="x"))}).encode()
    with client.raw() as raw:
        raw.send(b"POST " + CREATE.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 b"Content-Length: %d\r\n\r\n" % len(body) + body)
        poll("a device", lambda: client.devices(owner="x"))
    poll("all of them", lambda: len(client.devices(owner="x", state="ready")) == 100)


def test_slow_reader_does_not_stop_others(client, daemon):
    body = json.dumps({"devices": items(scaled(600))}).encode()
    with client.raw() as raw:
        raw.send(b"POST " + CREATE.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 b"Content-Length: %d\r\n\r\n" % len(body) + body)
        poll("all of them", lambda: client.host()["devices"]["ready"] == scaled(600))
        answer = raw.answer("POST")
        assert codes(results(answer)) == [201] * scaled(600)


def test_stop_in_the_middle(make_daemon):
    daemon = make_daemon(sim_section("sim0", latency_usec=4000))
    client = daemon.start()
    body = json.dumps({"devices": items(150)}).encode()
    with client.raw() as raw:
        raw.send(b"POST " + CREATE.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 b"Content-Length: %d\r\n\r\n" % len(body) + body)
        poll("a device", lambda: client.host()["devices"]["ready"] > 0)
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(raw.answer, "POST")
            daemon.stop()
            answers = results(answer.result())
    assert set(codes(answers)) <= {201, "shutting-down"}
    client = daemon.start()
    assert set(client.devices(state="ready")) >= {a["name"] for a in answers if a["status"] == 201}


def keyed(client, kind, devices, key, **more):
    return client.request("POST", f"/v1/devices:batch{kind}", {"devices": devices, **more}, {"Idempotency-Key": key})


def test_key(make_daemon):
    """The same batch again does what was not done yet, whatever has become of the daemon, and tells of the rest."""
    daemon = make_daemon("")
    client = daemon.start()
    devices = [{"name": f"d{i}", "spec": NET} for i in range(20)] + [{"spec": NET}]
    first = keyed(client, "Create", devices, "k").expect(200).json["results"]
    assert [result["status"] for result in first] == [201] * 21 and not any("replayed" in result for result in first)
    daemon.kill9()
    client = daemon.start()
    client.delete("d7").expect(204)
    again = keyed(client, "Create", devices, "k").expect(200).json["results"]
    # D-Bus does not say which are replayed.
    assert len({result.get("replayed") for result in again}) == 1
    assert [result["status"] for result in again] == [201] * 7 + [410] + [201] * 13
    assert [result["device"]["uid"] for result in again[8:]] == [result["device"]["uid"] for result in first[8:]]
    assert len(client.devices()) == 20
    # Another batch with the key is refused as a whole; another key is another batch.
    keyed(client, "Create", devices[:1], "k").expect(422, "key-reused")
    keyed(client, "Delete", [{"name": "d0"}], "k").expect(422, "key-reused")
    assert keyed(client, "Create", devices[:1], "l").expect(200).json["results"][0]["status"] == 200
    keyed(client, "Create", devices[:1], "m", atomic=True).expect(501, "not-implemented")
    keyed(client, "Create", devices[:1], "").expect(400, "invalid-request", "/header/Idempotency-Key")


def test_key_of_a_deletion(client):
    for i in range(3):
        client.create(f"d{i}", NET)
    items = [{"name": f"d{i}"} for i in range(4)]
    first = keyed(client, "Delete", items, "k").expect(200).json["results"]
    assert [result["status"] for result in first] == [204, 204, 204, 404]
    # The next one of the name is not meant.
    client.create("d1", NET)
    again = keyed(client, "Delete", items, "k").expect(200).json["results"]
    assert [result["status"] for result in again] == [204, 204, 204, 404]
    assert client.devices().keys() == {"d1"}
