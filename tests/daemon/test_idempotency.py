# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests that come again, late, or twice at a time: each is done once, to the device that it means."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import net_spec, patient, poll, sim_section

NET = {"class": "net"}


def keyed(client, key, method, target, body=None, **query):
    return client.request(method, target, body, {"Idempotency-Key": key}, query)


def post(client, key, spec=None, **more):
    return keyed(client, key, "POST", "/v1/devices", {"spec": spec or NET, **more})


def is_replayed(answer, expected=True):
    """Whether the answer says that it is one that was given before, or that it is not; D-Bus does not say."""
    has_headers = hasattr(answer.headers, "get_all")
    return not has_headers or (answer.headers["Idempotency-Replayed"] == "true") is expected


def assert_current(answer, device):
    if hasattr(answer.headers, "get_all"):
        current = {key: device[key] for key in ("uid", "generation", "revision")}
        assert answer.json["current"] == {**current, "state": "ready"}
    else:
        assert device["uid"] in answer.json["detail"]


def test_a_generated_name_is_generated_once(daemon, client):
    first = post(client, "k").expect(201)
    assert is_replayed(first, False)
    again = post(client, "k").expect(201)
    assert is_replayed(again) and again.json == first.json
    assert again.headers["Location"] == f"/v1/devices/{first.json['name']}"
    assert post(client, '"k"').expect(201).json == first.json
    other = post(client, "l").expect(201).json
    assert sorted(client.devices()) == sorted([first.json["name"], other["name"]])

    client = daemon.restart()
    assert post(client, "k").expect(201).json == first.json
    daemon.kill9()
    client = daemon.start()
    assert post(client, "k").expect(201).json == first.json
    assert len(client.devices()) == 2


def test_a_mgmtdev_is_no_device(client):
    keyed(client, "k", "DELETE", "/v1/devices/none").expect(404)
    keyed(client, "k", "PATCH", "/v1/mgmtdevs/sim0", {"cordoned": True}).expect(422, "key-reused")
    assert client.mgmtdev("sim0")["cordoned"] is False


def test_the_body_may_be_written_otherwise(client):
    device = client.request("PUT", "/v1/devices/d", b'{"spec": {"class": "net", "owner": "a"}}',
                            {"Idempotency-Key": "k", "Content-Type": "application/json"}).expect(201).json
    answer = client.request("PUT", "/v1/devices/d", b'{"spec":{"owner":"a","class":"net"}}',
                            {"Idempotency-Key": "k", "Content-Type": "application/json"}).expect(201)
    assert is_replayed(answer) and answer.json == device


def test_another_request_with_the_key(client):
    device = keyed(client, "k", "PUT", "/v1/devices/d", {"spec": NET}).expect(201).json
    for method, target, body in (
        ("PUT", "/v1/devices/e", {"spec": NET}),
        ("PUT", "/v1/devices/d", {"spec": net_spec(owner="a")}),
        ("POST", "/v1/devices", {"spec": NET}),
        ("PATCH", "/v1/devices/d", {"spec": {"owner": "a"}}),
        ("DELETE", "/v1/devices/d", None),
    ):
        keyed(client, "k", method, target, body).expect(422, "key-reused")
    keyed(client, "k", "PUT", "/v1/devices/d", {"spec": NET}, uid=device["uid"]).expect(422, "key-reused")
    headers = {"Idempotency-Key": "k", "If-None-Match": "*"}
    client.request("PUT", "/v1/devices/d", {"spec": NET}, headers).expect(422, "key-reused")
    assert client.devices() == {"d": device}
    assert keyed(client, "k", "PUT", "/v1/devices/d", {"spec": NET}).expect(201).json == device


def test_a_late_creation_does_not_make_it_again(daemon, client):
    device = keyed(client, "k", "PUT", "/v1/devices/d", {"spec": NET}).expect(201).json
    client.delete("d").expect(204)
    for _ in range(2):
        answer = keyed(client, "k", "PUT", "/v1/devices/d", {"spec": NET}).expect(410, "device-gone")
        assert is_replayed(answer) and device["uid"] in answer.json["detail"]
        assert client.devices() == {}
        client = daemon.restart()
    other = client.create("d", NET)
    keyed(client, "k", "PUT", "/v1/devices/d", {"spec": NET}).expect(410, "device-gone")
    assert client.devices() == {"d": other}


def test_a_late_deletion_does_not_hit_the_next_holder_of_the_name(daemon, client):
    first = client.create("d", NET)
    keyed(client, "k", "DELETE", "/v1/devices/d").expect(204)
    second = client.create("d", NET)
    for _ in range(2):
        assert is_replayed(keyed(client, "k", "DELETE", "/v1/devices/d").expect(204))
        client.delete("d", uid=first["uid"]).expect(204)
        assert {name: d["uid"] for name, d in client.devices().items()} == {"d": second["uid"]}
        daemon.kill9()
        client = daemon.start()
    client.delete("d", uid=second["uid"]).expect(204)
    assert client.devices() == {}


def test_a_late_change_does_not_undo_a_later_one(daemon, client):
    client.create("d", net_spec("02:00:00:00:00:01"))
    patch = {"spec": {"owner": "a", "net": {"mac": "02:00:00:00:00:02"}}}
    first = keyed(client, "k", "PATCH", "/v1/devices/d", patch).expect(200).json
    second = client.patch("d", {"owner": "b", "net": {"mac": "02:00:00:00:00:03"}}).expect(200).json
    assert second["generation"] == first["generation"] + 1
    for _ in range(2):
        answer = keyed(client, "k", "PATCH", "/v1/devices/d", patch).expect(200)
        assert is_replayed(answer) and answer.json == second
        client = daemon.restart()
    client.delete("d").expect(204)
    keyed(client, "k", "PATCH", "/v1/devices/d", patch).expect(410, "device-gone")


def test_a_late_change_of_a_mgmtdev_does_not_undo_a_later_one(daemon, client):
    keyed(client, "k", "PATCH", "/v1/mgmtdevs/sim0", {"cordoned": True}).expect(200)
    client.request("PATCH", "/v1/mgmtdevs/sim0", {"cordoned": False}).expect(200)
    for _ in range(2):
        answer = keyed(client, "k", "PATCH", "/v1/mgmtdevs/sim0", {"cordoned": True}).expect(200)
        assert is_replayed(answer) and answer.json["cordoned"] is False
        client = daemon.restart()


def test_a_refusal_stays_one(make_daemon):
    """What the client was told stays so, also when it could be done by now."""
    daemon = make_daemon(sim_section("sim0", max_devices=1))
    client = daemon.start()
    client.create("d", NET)
    requests = [
        ("a", "PUT", "/v1/devices/e", {"spec": NET}, 409, "no-capacity"),
        ("b", "PUT", "/v1/devices/d", {"spec": net_spec(owner="a")}, 409, "already-exists"),
        ("c", "DELETE", "/v1/devices/e", None, 404, "device-not-found"),
        ("d", "PATCH", "/v1/devices/e", {"spec": {"owner": "a"}}, 404, "device-not-found"),
        ("f", "PUT", "/v1/devices/f", {"spec": {"class": "net", "mgmtdev": "none"}}, 422, "unsatisfiable"),
    ]
    details = {}
    for key, method, target, body, status, code in requests:
        details[key] = keyed(client, key, method, target, body).expect(status, code).json["detail"]
    client.delete("d").expect(204)
    daemon.kill9()
    client = daemon.start()
    for key, method, target, body, status, code in requests:
        answer = keyed(client, key, method, target, body).expect(status, code)
        assert is_replayed(answer) and answer.json["detail"] == details[key]
    assert client.devices() == {}


def test_what_passes_is_not_kept(daemon, client):
    """A fault of the request, or a daemon that cannot: the same request is tried again."""
    post(client, "k", {"class": "net", "x": 1}).expect(400)
    connection = sqlite3.connect(daemon.database, isolation_level=None)
    connection.execute("CREATE TRIGGER refuse BEFORE INSERT ON receipt BEGIN SELECT RAISE(ABORT, 'full'); END")
    post(client, "k").expect(503, "store-failed")
    keyed(client, "l", "DELETE", "/v1/devices/none").expect(503, "store-failed")
    assert client.devices() == {}
    connection.execute("DROP TRIGGER refuse")
    connection.close()
    assert is_replayed(post(client, "k").expect(201), False)
    keyed(client, "l", "DELETE", "/v1/devices/none").expect(404)


def test_a_failure_of_the_backend_is_kept(make_daemon):
    daemon = make_daemon(sim_section("sim0", fail_bind=1))
    client = daemon.start()
    detail = post(client, "k").expect(502, "backend-failed").json["detail"]
    daemon.configure("")
    client = daemon.restart()
    answer = post(client, "k").expect(502, "backend-failed")
    assert is_replayed(answer) and answer.json["detail"] == detail
    assert client.devices() == {}
    post(client, "l").expect(201)


def test_a_refused_deletion_is_kept(daemon, client):
    client.create("d", NET)
    endpoint = daemon.runtime_dir / "sim-open/d"
    endpoint.mkdir()
    keyed(client, "k", "DELETE", "/v1/devices/d").expect(409, "in-use")
    endpoint.rmdir()
    keyed(client, "k", "DELETE", "/v1/devices/d").expect(409, "in-use")
    assert list(client.devices()) == ["d"]
    keyed(client, "l", "DELETE", "/v1/devices/d").expect(204)


def test_many_at_once(make_daemon):
    """All wait for the first, and get what it gets."""
    client = make_daemon(sim_section("sim0", latency_usec=patient(50_000))).start()
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: post(client, "k").expect(201), range(24)))
        assert len({json.dumps(answer.json) for answer in answers}) == 1
        others = list(pool.map(lambda i: post(client, "l", net_spec(owner=str(i % 2))), range(24)))
    assert sorted(answer.status for answer in others) == [201] * 12 + [422] * 12
    assert len(client.devices()) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_the_daemon_dies_before_it_answers(make_daemon, method):
    """The intent is on the disk and the rest takes long; the next daemon goes on, and knows what was asked for."""
    daemon = make_daemon("")
    client = daemon.start()
    if method != "POST":
        before = client.create("d", net_spec("02:00:00:00:00:01"))
    daemon.configure(sim_section("sim0", latency_usec=patient(400_000)))
    client = daemon.restart()
    target, body = "/v1/devices/d", {"spec": {"net": {"mac": "02:00:00:00:00:02"}}}
    if method == "POST":
        target, body = "/v1/devices", {"spec": NET}
    if method == "DELETE":
        body = None

    def send():
        try:
            keyed(client, "k", method, target, body)
        except OSError:
            pass

    def is_begun():
        connection = sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)
        try:
            return connection.execute("SELECT count(*) FROM receipt WHERE outcome = 'pending'").fetchone()[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send)
        poll("begun request", is_begun)
        daemon.kill9()
        sent.result()
    daemon.configure("")
    client = daemon.start()
    devices = client.devices()
    for _ in range(2):
        answer = keyed(client, "k", method, target, body)
        assert is_replayed(answer)
        if method == "DELETE":
            answer.expect(204)
            assert devices == client.devices() == {}
            continue
        device = answer.expect(201 if method == "POST" else 200).json
        assert client.devices() == devices == {device["name"]: device}
        if method == "PATCH":
            assert device["uid"] == before["uid"] and device["status"]["net"]["mac"] == "02:00:00:00:00:02"
        client = daemon.restart()


def test_preconditions_of_a_creation(client):
    new = {"If-None-Match": "*"}

    def put(headers=None, **query):
        return client.request("PUT", "/v1/devices/d", {"spec": NET}, headers, query)

    put(generation=1).expect(412, "precondition-failed")
    device = put(new).expect(201).json
    answer = put(new).expect(412, "precondition-failed")
    assert_current(answer, device)
    assert put({"If-Match": f'"{device["revision"]}"'}, uid=device["uid"], generation=1).expect(200).json == device
    assert_current(put({"If-Match": f'"{device["revision"] + 1}"'}).expect(412), device)
    assert_current(put(generation=2).expect(412), device)
    client.delete("d").expect(204)
    put(uid=device["uid"]).expect(412, "precondition-failed")
    assert client.devices() == {}


def test_generation_as_a_precondition(client):
    device = client.create("d", NET)
    target = "/v1/devices/d"
    client.request("PATCH", target, {"spec": {"owner": "a"}}, query={"generation": 2}).expect(412)
    changed = client.request("PATCH", target, {"spec": {"owner": "a"}}, query={"generation": 1}).expect(200).json
    assert changed["generation"] == 2
    client.request("PATCH", target, {"spec": {"owner": "b"}}, query={"generation": 1}).expect(412)
    same = client.request("PATCH", target, {"spec": {"owner": "a"}}, query={"uid": device["uid"]}).expect(200).json
    assert same == changed
    assert_current(client.delete("d", generation=1).expect(412), changed)
    client.delete("d", generation=2, uid=device["uid"]).expect(204)


def test_bounds_and_time(make_daemon):
    """The oldest make room for new ones, and what is too old is forgotten."""
    daemon = make_daemon("[idempotency]\nmax_keys = 3\nmax_tombstones = 2\nretention_sec = 60\n")
    client = daemon.start()
    devices = [post(client, f"k{i}").expect(201).json for i in range(4)]
    for i in (3, 2, 1):
        assert post(client, f"k{i}").expect(201).json == devices[i]
    again = post(client, "k0").expect(201)
    assert is_replayed(again, False) and again.json["name"] != devices[0]["name"]

    for device in devices:
        client.delete(device["name"]).expect(204)
    for device in devices[2:]:
        client.delete(device["name"], uid=device["uid"]).expect(204)
    for device in devices[:2]:
        client.delete(device["name"], uid=device["uid"]).expect(404)

    daemon.stop()
    connection = sqlite3.connect(daemon.database)
    assert connection.execute("SELECT count(*) FROM receipt").fetchone() == (3,)
    assert connection.execute("SELECT count(*) FROM tombstone").fetchone() == (2,)
    with connection:
        connection.execute("UPDATE receipt SET made_usec = made_usec - 61000000")
        connection.execute("UPDATE tombstone SET made_usec = made_usec - 61000000")
    client = daemon.start()
    assert is_replayed(post(client, "k3").expect(201), False)
    client.delete(devices[3]["name"], uid=devices[3]["uid"]).expect(404)
    client.delete(again.json["name"]).expect(204)
    daemon.stop()
    assert connection.execute("SELECT count(*) FROM receipt").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM tombstone").fetchone() == (1,)
    connection.close()
