# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configured limits: what is over one is refused with its own code, and everything else goes on."""

import contextlib
import socket
import time

from support import SLOW, net_spec, patient, poll, scaled, sim_section

NET = {"class": "net"}
GET_HOST = b"GET /v1/host HTTP/1.1\r\nHost: x\r\n\r\n"
IDLE_TIMEOUT = 3 if SLOW else 1


def limits(**keys):
    return "\n".join(["[limits]", *(f"{key} = {value}" for key, value in keys.items()), ""])


def put_request(name):
    return (f"PUT /v1/devices/{name} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            'Content-Length: 24\r\n\r\n{"spec":{"class":"net"}}').encode()


def test_max_devices(make_daemon):
    daemon = make_daemon(limits(max_devices=3))
    client = daemon.start()
    assert client.host()["limits"]["max_devices"] == 3
    for i in range(3):
        client.create(f"d{i}", NET)
    for _ in range(2):
        answer = client.put("d3", NET).expect(409, "limit-reached")
        assert "3 devices" in answer.json["detail"]
    client.request("POST", "/v1/devices", {"spec": NET}).expect(409, "limit-reached")
    client.put("d0", NET).expect(200)
    client.patch("d0", {"owner": "a"}).expect(200)
    client.delete("d1").expect(204)
    client.create("d3", NET)
    assert client.mgmtdev("sim0")["budgets"]["devices"]["used"] == 3

    daemon.stop()
    daemon.configure(limits(max_devices=2))
    result = daemon.run()
    assert result.returncode == 1 and "max_devices" in result.stderr
    daemon.configure(limits(max_devices=3))
    assert len(daemon.start().devices(state="ready")) == 3


def test_max_operations(make_daemon):
    daemon = make_daemon(limits(max_operations=2))
    client = daemon.start()
    client.create("old", net_spec(owner="a"))
    daemon.stop()
    daemon.configure(limits(max_operations=2) + sim_section("sim0", latency_usec=patient(400_000)))
    client = daemon.start()

    with client.raw() as first, client.raw() as second:
        first.send(put_request("a"))
        second.send(put_request("b"))
        poll("operations under way", lambda: client.host()["operations"] == 2)
        for answer in (client.put("c", NET), client.delete("old"), client.patch("old", {"owner": "b"}),
                       client.get("/v1/devices/old/stats")):
            answer.expect(503, "overloaded")
            assert "2 operations" in answer.json["detail"]
        client.put("old", net_spec(owner="a")).expect(200)
        client.put("old", NET).expect(409)
        assert set(client.devices()) == {"a", "b", "old"}
        assert client.device("old")["spec"]["owner"] == "a"
        first.answer("PUT").expect(201)
        second.answer("PUT").expect(201)
    client.patch("old", {"owner": "b"}).expect(200)


def test_the_start_is_not_limited(make_daemon):
    """What has to be compared with the host at the start is more than requests may have under way."""
    daemon = make_daemon(limits(max_operations=1))
    client = daemon.start()
    for i in range(scaled(50)):
        client.create(f"d{i}", NET)
    daemon.kill9()
    assert len(daemon.start().devices(state="ready")) == scaled(50)


def test_max_connections(make_daemon):
    """For one too many, the client that has been owing a request for the longest time is closed."""
    client = make_daemon(limits(max_connections=16)).start()
    assert client.host()["limits"]["max_connections"] == 16
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(client.raw()) for _ in range(10)]
        for raw in idle:
            raw.send(GET_HOST).answer().expect(200)
        slow = [stack.enter_context(client.raw().send(GET_HOST[:-1])) for _ in range(60)]
        # Each of those that ask is served.
        for _ in range(30):
            stack.enter_context(client.raw()).send(GET_HOST).answer().expect(200)
        assert all(raw.rest(1) == b"" for raw in (*idle, *slow[:40]))
    client.host()


def test_max_connections_of_a_user(make_daemon):
    """One who waits for answers on all of them gets no more; others of the same user's go for a new one."""
    config = limits(max_connections=64, max_connections_per_user=4) + sim_section("sim0", latency_usec=patient(300_000))
    client = make_daemon(config).start()
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(client.raw()) for _ in range(4)]
        busy = [stack.enter_context(client.raw().send(put_request(f"d{i}"))) for i in range(4)]
        assert all(raw.rest(1) == b"" for raw in idle)
        for _ in range(3):
            with client.raw() as more:
                text = more.rest()
                assert text.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1" in text and b'"overloaded"' in text
        for raw in busy:
            raw.answer("PUT").expect(201)
        client.host()


def test_a_slow_request_is_closed(make_daemon):
    """However busy its client looks."""
    client = make_daemon(limits(idle_timeout_sec=60, request_timeout_sec=IDLE_TIMEOUT)).start()
    with client.raw() as header, client.raw() as body:
        header.send(GET_HOST[:-2])
        body.send(put_request("d")[:-20])

        def is_closed():
            for raw in (header, body):
                with contextlib.suppress(OSError):
                    raw.send(b" ")
            return header.rest(0.1) == b"" == body.rest(0.1) and not client.devices()

        poll("end of the connections", is_closed)
    client.host()


def test_a_slow_reader_is_closed(make_daemon):
    """Who does not take the answer does not keep it in memory."""
    client = make_daemon(limits(idle_timeout_sec=60, request_timeout_sec=IDLE_TIMEOUT)).start()
    for i in range(50):
        client.create(f"d{i:03}", NET)
    with client.raw() as reader:
        reader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.send(b"GET /v1/devices?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n" * 32)
        taken = b""
        end = time.monotonic() + IDLE_TIMEOUT + 2
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                reader.sock.settimeout(0.2)
                taken += reader.sock.recv(64)
            time.sleep(0.02)
        rest = reader.rest()
        assert (taken + rest).count(b"HTTP/1.1 200 OK") < 32
    client.host()


def test_large_bodies_do_not_fill_the_memory(make_daemon):
    """They count together, and those that are small do not wait for them."""
    client = make_daemon(limits(max_body_bytes=1 << 26, max_connections=1024)).start()
    head = b"PUT /v1/devices/%d HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with contextlib.ExitStack() as stack:
        large = [stack.enter_context(client.raw()) for _ in range(5)]
        for i, raw in enumerate(large):
            raw.send(head % (i, 20 << 20) + b" " * (17 << 20))
        client.create("small", NET)
        answers = []
        for raw in large:
            with contextlib.suppress(OSError):
                raw.send(b" " * (3 << 20))
            answers.append(raw.answer("PUT"))
        assert {answer.code for answer in answers} == {"overloaded", "malformed-json"}
        assert all(answer.headers["Retry-After"] == "1" for answer in answers if answer.code == "overloaded")
    client.create("d", NET)


def test_max_devices_per_owner(make_daemon):
    daemon = make_daemon(limits(max_devices_per_owner=2))
    client = daemon.start()
    assert client.host()["limits"]["max_devices_per_owner"] == 2
    for name in "ab":
        client.create(name, net_spec(owner="me"))
    answer = client.put("c", net_spec(owner="me")).expect(409, "limit-reached")
    assert "'me' has 2 devices" in answer.json["detail"]
    client.put("a", net_spec(owner="me")).expect(200)
    client.create("c", net_spec(owner="you"))
    client.create("d", NET)
    for name in "cd":
        client.patch(name, {"owner": "me"}).expect(409, "limit-reached")
    client.patch("a", {"owner": "you"}).expect(200)
    client.patch("d", {"owner": "me"}).expect(200)
    client.patch("d", {"owner": "me", "labels": {"k": "v"}}).expect(200)
    client.put("e", net_spec(owner="you")).expect(409, "limit-reached")

    client = daemon.restart()
    client.put("e", net_spec(owner="me")).expect(409, "limit-reached")
    client.delete("d").expect(204)
    client.create("e", net_spec(owner="me"))
    # Who has too many keeps them.
    daemon.stop()
    daemon.configure(limits(max_devices_per_owner=1))
    client = daemon.start()
    assert len(client.devices(owner="me", state="ready")) == 2
    client.put("f", net_spec(owner="me")).expect(409, "limit-reached")


def test_json_depth_and_size(client):
    headers = {"Content-Type": "application/json"}
    deepest, most = (client.host()["limits"][key] for key in ("max_json_depth", "max_json_values"))
    for depth, code in ((deepest - 1, "unknown-field"), (deepest, "too-deep"), (100_000, "too-deep")):
        body = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
        answer = client.request("PUT", "/v1/devices/d", body, headers).expect(400, "invalid-request")
        assert [fault["code"] for fault in answer.json["errors"] if fault["pointer"].startswith("/a")] == [code]
    assert most == 1 << 20


def test_a_silent_connection_is_closed(make_daemon):
    daemon = make_daemon(limits(idle_timeout_sec=IDLE_TIMEOUT))
    client = daemon.start()
    silences = [b"", GET_HOST[:10], GET_HOST[:-2], put_request("d")[:-1], GET_HOST + GET_HOST[:10]]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(client.raw().send(data)) for data in silences]
        for raw in connections:
            assert raw.rest().count(b"HTTP/1.1 200 OK") == (raw is connections[-1])
    assert client.devices() == {}


def test_one_that_waits_for_its_answer_is_not_silent(make_daemon):
    latency = sim_section("sim0", latency_usec=IDLE_TIMEOUT * 500_000)
    client = make_daemon(limits(idle_timeout_sec=IDLE_TIMEOUT) + latency).start()
    client.create("d", NET)


def test_max_body_bytes(make_daemon):
    client = make_daemon(limits(max_body_bytes=1024)).start()
    assert client.host()["limits"]["max_body_bytes"] == 1024
    body = b'{"spec":{"class":"net"}}'
    headers = {"Content-Type": "application/json"}
    client.request("PUT", "/v1/devices/d", body.ljust(1024), headers).expect(201)
    client.request("PUT", "/v1/devices/d", body.ljust(1025), headers).expect(413, "body-too-large")
