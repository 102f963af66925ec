# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many clients at once: none waits for what it does not need, and all agree on what is so."""

import collections
import json
import select
import socket
from concurrent.futures import ThreadPoolExecutor

from contract import CONTRACT
from support import net_spec, patient, poll, scaled, sim_section

NET = {"class": "net"}
N_CLIENTS = 64


def put_request(name, spec):
    body = json.dumps({"spec": spec}).encode()
    header = f"PUT /v1/devices/{name} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return f"{header}Content-Length: {len(body)}\r\n\r\n".encode() + body


def is_answered(raw):
    return bool(select.select([raw.sock], [], [], 0)[0])


def at_once(function, arguments):
    """Calls the function for all arguments at the same time, each on a thread of its own."""
    arguments = list(arguments)
    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(function, arguments))


def test_what_needs_no_backend_does_not_wait_for_it(daemon, client):
    """A creation has four steps, each of which takes a second; meanwhile all the rest is done."""
    device = client.create("ready", net_spec(owner="a"))
    daemon.configure(sim_section("sim0", latency_usec=patient(1_000_000)))
    client = daemon.restart()

    with client.raw() as raw:
        raw.send(put_request("slow", NET))
        poll("creation under way", lambda: client.host()["devices"]["creating"] == 1)
        client.get("/healthz").expect(200)
        client.get("/readyz").expect(200)
        client.get("/v1/mgmtdevs/sim0").expect(200)
        assert list(client.devices()) == ["ready", "slow"]
        assert client.device("slow")["status"]["endpoint"] is None
        client.put("ready", device["spec"]).expect(200)
        client.put("ready", NET).expect(409, "already-exists")
        client.put("A", NET).expect(400)
        client.put("other", {"class": "net", "features": ["RSS"]}).expect(422)
        client.patch("ready", {"owner": "b"}).expect(200)
        client.delete("none").expect(404)
        assert not is_answered(raw)
        raw.answer("PUT").expect(201)


def test_verbs_on_one_device_wait_for_each_other(make_daemon):
    """Each finds the device as the one before has left it."""
    client = make_daemon(sim_section("sim0", latency_usec=patient(300_000))).start()
    with client.raw() as first:
        first.send(put_request("d", NET))
        poll("creation under way", lambda: client.host()["devices"]["creating"] == 1)
        steps = [
            (lambda: client.put("d", NET), 200),
            (lambda: client.put("d", {"class": "gpu"}), 409),
            (lambda: client.patch("d", {"owner": ""}), 200),
            (lambda: client.get("/v1/devices/d/stats"), 200),
        ]
        for answer, status in at_once(lambda step: (step[0](), step[1]), steps):
            answer.expect(status)
        assert is_answered(first)
        first.answer("PUT").expect(201)
    assert client.delete("d").status == 204


def test_many_clients_some_of_them_slow(daemon, client):
    """A quarter sends its request byte by byte, a quarter does not read its answer, the others work."""
    n = N_CLIENTS // 4
    large = net_spec(labels={"a": "x" * 200})
    at_once(lambda i: [client.create(f"old{i}-{k}", large) for k in range(20)], range(n))

    listing = b"GET /v1/devices?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n"
    senders = [client.raw() for _ in range(n)]
    readers = [client.raw() for _ in range(n)]
    for reader in readers:
        reader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.send(listing * 3)
    requests = [put_request(f"slow{i}", NET) for i in range(n)]

    def work(i):
        for k in range(scaled(10)):
            device = client.create(f"new{i}", net_spec(owner=str(k)))
            assert client.device(f"new{i}") == device
            client.delete(f"new{i}", uid=device["uid"]).expect(204)

    with ThreadPoolExecutor(2 * n) as pool:
        working = [pool.submit(work, i) for i in range(2 * n)]
        # Slowest of all: the last byte goes out when the others are through.
        for position in range(len(requests[0]) - 1):
            for sender, request in zip(senders, requests):
                sender.send(request[position:position + 1])
        for future in working:
            future.result()

    for sender, request in zip(senders, requests):
        with sender:
            sender.send(request[len(requests[0]) - 1:]).answer("PUT").expect(201)
    for reader in readers:
        with reader:
            for _ in range(3):
                answer = reader.answer().expect(200)
                assert len([d for d in answer.json["items"] if d["name"].startswith("old")]) == 20 * n
    CONTRACT.check("GET", "/v1/devices?limit=1000", {}, b"", answer)
    assert len(client.devices()) == 21 * n
    assert client.host()["operations"] == 0


def test_one_of_many_creates(client):
    count = scaled(10)
    for i in range(count):
        answers = at_once(lambda _, name=f"d{i}": client.put(name, net_spec(owner="a")), range(16))
        assert collections.Counter(answer.status for answer in answers) == {201: 1, 200: 15}
        assert len({answer.json["uid"] for answer in answers}) == 1
    assert len(client.devices()) == client.mgmtdev("sim0")["budgets"]["devices"]["used"] == count


def test_one_of_many_specs_wins(client):
    for i in range(scaled(10)):
        answers = at_once(lambda k, name=f"d{i}": client.put(name, net_spec(owner=f"vm:{k}")), range(16))
        assert collections.Counter(answer.status for answer in answers) == {201: 1, 409: 15}
        winner = next(answer for answer in answers if answer.status == 201)
        assert client.device(f"d{i}") == winner.json
        assert {answer.code for answer in answers if answer.status == 409} == {"already-exists"}


def test_generated_names_are_different(client):
    answers = at_once(lambda _: client.request("POST", "/v1/devices", {"spec": NET}), range(N_CLIENTS))
    assert len({answer.expect(201).json["name"] for answer in answers}) == N_CLIENTS


def test_creations_and_deletions_of_one_name(make_daemon):
    """Whatever the order: every request is answered, and in the end there is the device, or there is none."""
    client = make_daemon(sim_section("sim0", latency_usec=200)).start()

    def work(i):
        statuses = set()
        for k in range(scaled(30)):
            if (i + k) % 3 == 0:
                statuses.add(client.delete("d").status)
            elif (i + k) % 3 == 1:
                statuses.add(client.put("d", NET).status)
            else:
                statuses.add(client.patch("d", {"owner": ""}).status)
        return statuses

    assert set().union(*at_once(work, range(16))) <= {200, 201, 204, 404}
    assert client.host()["operations"] == 0
    assert set(client.devices()) == set(client.devices(state="ready")) <= {"d"}
    assert client.mgmtdev("sim0")["budgets"]["devices"]["used"] == len(client.devices())
    assert client.mgmtdev("sim0")["foreign_devices"] == 0
    client.put("d", NET)
    client.delete("d").expect(204)


def test_the_last_place_is_given_once(make_daemon):
    """With room for ten, ten of many get one, whatever the order; and room that becomes free is found."""
    client = make_daemon(sim_section("sim0", max_devices=10, latency_usec=500)).start()
    for _ in range(3):
        answers = at_once(lambda i: client.put(f"d{i}", NET), range(40))
        assert collections.Counter(answer.status for answer in answers) == {201: 10, 409: 30}
        assert {answer.code for answer in answers if answer.status == 409} == {"no-capacity"}
        assert client.mgmtdev("sim0")["budgets"]["devices"]["free"] == 0
        at_once(lambda name: client.delete(name).expect(204), client.devices())
    assert client.mgmtdev("sim0")["budgets"]["devices"]["free"] == 10


def test_no_update_is_lost(client):
    """With If-Match, of changes to the same revision one wins."""
    client.create("d", {"class": "net", "labels": {"count": "0"}})
    n = scaled(16)

    def increment(_):
        for _ in range(n):
            while True:
                now = client.get("/v1/devices/d").expect(200)
                count = str(int(now.json["spec"]["labels"]["count"]) + 1)
                answer = client.patch("d", {"labels": {"count": count}}, If_Match=now.etag)
                if answer.status == 200:
                    break
                answer.expect(412, "precondition-failed")

    at_once(increment, range(8))
    assert client.device("d")["spec"]["labels"] == {"count": str(8 * n)}


def test_a_uid_fences_a_late_caller(client):
    """Of many that delete the same device, one does, and the others are told so; one that was made anew stays."""
    device = client.create("d", NET)
    answers = at_once(lambda _: client.delete("d", uid=device["uid"]), range(16))
    assert collections.Counter(answer.status for answer in answers) == {204: 16}
    again = client.create("d", NET)
    answers = at_once(lambda _: client.delete("d", uid=device["uid"]), range(16))
    assert {answer.status for answer in answers} == {204}
    assert client.device("d") == again
