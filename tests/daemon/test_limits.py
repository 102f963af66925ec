# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configured limits: what is over one is refused with its own code, and everything else goes on."""

import contextlib

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
    """Those that are one too many wait, and are served when others have gone."""
    client = make_daemon(limits(max_connections=8)).start()
    assert client.host()["limits"]["max_connections"] == 8
    with contextlib.ExitStack() as stack:
        served = [stack.enter_context(client.raw()) for _ in range(8)]
        for raw in served:
            raw.send(GET_HOST).answer().expect(200)
        waiting = [stack.enter_context(client.raw().send(GET_HOST)) for _ in range(16)]
        for raw in served:
            raw.send(GET_HOST).answer().expect(200)
        for raw in [*served, *waiting[:8]]:
            raw.sock.close()
        for raw in waiting[8:]:
            raw.answer().expect(200)
    poll("served client", lambda: client.host())


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
