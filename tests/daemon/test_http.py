# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bytes as they come: pieces, chunks, several requests on one connection, and what is not HTTP at all.

Whatever comes, the daemon goes on, and nothing is made that was not asked for in whole."""

import gzip
import json
import re
import random
import socket

import pytest

from client import Connection, connect
from support import net_spec, patient, poll, scaled, sim_section

CONFIG = "[limits]\nmax_body_bytes = 65536\n"

SPEC = b'{"spec":{"class":"net"}}'
GET_HOST = b"GET /v1/host HTTP/1.1\r\nHost: x\r\n\r\n"


def put(name, *fields, body=SPEC):
    header = [b"PUT /v1/devices/%s HTTP/1.1" % name, b"Host: x", b"Content-Type: application/json", *fields]
    return b"\r\n".join([*header, b"", body])


LENGTH = b"Content-Length: %d" % len(SPEC)
CHUNKED = b"Transfer-Encoding: chunked"
WHOLE = put(b"new", LENGTH)
DELETE = b"DELETE /v1/devices/new HTTP/1.1\r\nHost: x\r\n\r\n"

# Seconds to look at what comes of a request that may have no answer.
PATIENCE = 0.02


@pytest.fixture
def client(shared_daemon):
    """Asserts that nothing is left after the test."""
    client = shared_daemon.client()
    delete_all(client)
    yield client
    assert client.devices() == {}
    assert client.host()["operations"] == 0


def delete_all(client):
    """What of it comes late, from a client that is gone, too."""
    poll("daemon that is idle", lambda: client.host()["operations"] == 0)
    while names := client.devices():
        for name in names:
            client.delete(name, missing_ok="true").expect(204)


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_a_request_in_pieces(client, size):
    with client.raw() as raw:
        for i in range(0, len(WHOLE), size):
            raw.send(WHOLE[i:i + size])
        raw.answer("PUT").expect(201)
    delete_all(client)


def test_a_body_in_chunks(client):
    chunked = b"".join(b"%x;extension=1\r\n%c\r\n" % (1, byte) for byte in SPEC) + b"0\r\nTrailer: x\r\n\r\n"
    with client.raw() as raw:
        raw.send(put(b"new", CHUNKED, body=chunked)).answer("PUT").expect(201)
    delete_all(client)


def test_many_requests_on_one_connection(client):
    with client.raw() as raw:
        for _ in range(scaled(50)):
            raw.send(WHOLE).answer("PUT").expect(201)
            raw.send(DELETE).answer("DELETE").expect(204)
            raw.send(WHOLE.replace(b"new", b"NEW")).answer("PUT").expect(400, "invalid-request")
            raw.send(GET_HOST).answer().expect(200)


def test_requests_ahead_of_their_answers(client):
    """Pipelined: answered in order, also behind one that has to wait for the backend."""
    listing = b"GET /v1/devices HTTP/1.1\r\nHost: x\r\n\r\n"
    with client.raw() as raw:
        raw.send((WHOLE + listing + DELETE + listing) * 3 + GET_HOST)
        for _ in range(3):
            raw.answer("PUT").expect(201)
            assert len(raw.answer().expect(200).json["items"]) == 1
            raw.answer("DELETE").expect(204)
            assert raw.answer().expect(200).json["items"] == []
        raw.answer().expect(200)


def test_the_client_can_ask_to_close(client):
    closing = GET_HOST.replace(b"Host: x", b"Host: x\r\nConnection: close")
    for request in (closing, b"GET /v1/host HTTP/1.0\r\n\r\n"):
        with client.raw() as raw:
            raw.send(request).answer().expect(200)
            assert raw.rest() == b""


def test_expect_continue(client):
    with client.raw() as raw:
        raw.send(put(b"new", LENGTH, b"Expect: 100-continue", body=b""))
        assert raw.sock.recv(1000).startswith(b"HTTP/1.1 100 ")
        raw.send(SPEC).answer("PUT").expect(201)
    delete_all(client)


REFUSED_AT_ONCE = [
    (put(b"new", b"Content-Length: 70000", b"Expect: 100-continue", body=b""), 413, "body-too-large"),
    (put(b"new", b"Content-Length: 1000000000", body=b""), 413, "body-too-large"),
    (put(b"new", b"Content-Length: 9223372036854775807", body=b""), 413, "body-too-large"),
    (put(b"new", LENGTH, b"Expect: 100-continue", b"If-Unmodified-Since: 1", body=b""), 501, "not-implemented"),
    (put(b"new", b"Transfer-Encoding: gzip", body=b""), 501, "not-implemented"),
    (put(b"new", LENGTH, CHUNKED, body=b""), 400, "invalid-request"),
    (put(b"new", LENGTH, b"Content-Length: 25", body=b""), 400, "invalid-request"),
    (put(b"new", LENGTH, LENGTH, body=b""), 400, "invalid-request"),
]


@pytest.mark.parametrize("request_, status, code", REFUSED_AT_ONCE, ids=range(len(REFUSED_AT_ONCE)))
def test_refused_without_reading_the_body(client, request_, status, code):
    """No one knows where the next request would begin, so the connection ends."""
    with client.raw() as raw:
        raw.send(request_).answer("PUT").expect(status, code)
        assert raw.rest() == b""


def test_a_refused_body_is_not_the_next_request(client):
    inner = WHOLE
    with client.raw() as raw:
        length = b"Content-Length: %d" % len(inner)
        raw.send(put(b"new", length, b"If-Unmodified-Since: 1", body=inner) + GET_HOST)
        raw.answer("PUT").expect(501, "not-implemented")
        raw.answer().expect(200)


NOT_HTTP = {
    "nothing": b"\r\n\r\n",
    "words": b"hello\r\n\r\n",
    "no version": b"GET /v1/host\r\n\r\n",
    "version 2": b"GET /v1/host HTTP/2.0\r\n\r\n",
    "version 9": b"GET /v1/host HTTP/9.9\r\nHost: x\r\n\r\n",
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "zeros": bytes(4096),
    "no host": b"GET /v1/host HTTP/1.1\r\n\r\n",
    "blank before the colon": b"GET /v1/host HTTP/1.1\r\nHost : x\r\n\r\n",
    "no colon": b"GET /v1/host HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "folded line": b"GET /v1/host HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "NUL in the path": b"GET /v1/devices/a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in a field": b"GET /v1/host HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    "bare line feeds": b"GET /v1/host HTTP/1.1\nHost: x\n\n",
    "absolute path": b"GET http://x/v1/host HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "long path": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long query": b"GET /v1/devices?" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long field": b"GET /v1/host HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
    "many fields": b"GET /v1/host HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
    "many cookies": b"GET /v1/host HTTP/1.1\r\nHost: x\r\nCookie: " + b"a=b;" * 5000 + b"\r\n\r\n",
    "query after a NUL": b"GET /v1/host\0?" + b"a&" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "endless line": b"A" * 100_000,
    "negative length": put(b"new", b"Content-Length: -1"),
    "no length": put(b"new", b"Content-Length: x"),
    "length of two parts": put(b"new", b"Content-Length: 2 4"),
    "huge length": put(b"new", b"Content-Length: 99999999999999999999999"),
    "bad chunk": put(b"new", CHUNKED, body=b"zz\r\n"),
    "negative chunk": put(b"new", CHUNKED, body=b"-1\r\n"),
    "huge chunk": put(b"new", CHUNKED, body=b"fffffffffffffffff\r\n"),
    "chunk without its end": put(b"new", CHUNKED, body=b"18\r\n" + SPEC + b"x0\r\n\r\n"),
    "smuggled": put(b"new", CHUNKED, b"Content-Length: 3", body=b"0\r\n\r\n" + WHOLE),
}


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_not_http(client, data):
    """Some of it is answered, some ends the connection, some waits for more; none of it does anything."""
    with client.raw() as raw:
        try:
            raw.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert not raw.rest(PATIENCE).startswith(b"HTTP/1.1 201")
    client.get("/healthz").expect(200)


@pytest.mark.parametrize("n", [33, 300, 1000, 2500, 7000])
def test_many_parameters(client, n):
    """However many fit in a header: all are refused, and the connection goes on."""
    with client.raw() as raw:
        raw.sock.settimeout(patient(5))
        for query in (b"a&" * n, b"limit=1&" * min(n, 1750)):
            raw.send(b"GET /v1/devices?" + query + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = raw.answer().expect(400, "invalid-request")
            assert "too-many" in {fault["code"] for fault in answer.json["errors"]}
            raw.send(GET_HOST).answer().expect(200)


def test_noise(client):
    """Requests with some bytes changed: answered, refused or dropped, and the daemon lives."""
    noise = random.Random(1)
    for _ in range(scaled(300)):
        data = bytearray(noise.choice([GET_HOST, WHOLE, DELETE]))
        for _ in range(noise.randint(1, 8)):
            data[noise.randrange(len(data))] = noise.randrange(256)
        with client.raw() as raw:
            raw.send(bytes(data)).rest(PATIENCE)
    delete_all(client)


@pytest.mark.parametrize("n", [0, 1, len(WHOLE) - len(SPEC), len(WHOLE) - 1])
def test_half_a_request_does_nothing(client, n):
    for _ in range(10):
        with client.raw() as raw:
            raw.send(WHOLE[:n])


def test_a_client_that_only_listens_any_more(client):
    """It has closed its half of the connection, and gets its answer."""
    with client.raw() as raw:
        raw.send(WHOLE).sock.shutdown(socket.SHUT_WR)
        raw.answer("PUT").expect(201)
    delete_all(client)


def test_a_client_that_hangs_up(client):
    """Whether its request was read before is open; what was begun is finished, and is never half done."""
    for i in range(scaled(100)):
        with client.raw() as raw:
            raw.send(WHOLE.replace(b"/new", b"/n%d" % i))
    poll("daemon that is idle", lambda: client.host()["operations"] == 0)
    assert all(device["status"]["state"] == "ready" for device in client.devices().values())
    delete_all(client)


def test_a_client_that_hangs_up_while_its_device_is_made(make_daemon):
    client = make_daemon(sim_section("sim0", latency_usec=patient(100_000))).start()
    for _ in range(2):
        with client.raw() as raw:
            raw.send(WHOLE)
            poll("beginning", lambda: client.host()["devices"]["total"] == 1)
        poll("end", lambda: client.host()["devices"]["ready"] == 1)
        with client.raw() as raw:
            raw.send(DELETE)
            poll("beginning", lambda: client.host()["devices"]["ready"] == 0)
        poll("end", lambda: client.host()["devices"]["total"] == 0)
    assert client.mgmtdev("sim0")["foreign_devices"] == 0


def test_a_reset_connection(client):
    """With data unread the kernel resets it when it is closed; the daemon finds that out when it answers."""
    for _ in range(scaled(40)):
        with client.raw() as raw:
            raw.send(WHOLE + GET_HOST * 20).sock.recv(1)
    delete_all(client)


@pytest.mark.parametrize("given", ["a", "4f1c9e3a-7b2d_4c.60", "x" * 64])
def test_request_id_is_returned(client, given):
    for path, status in (("/v1/host", 200), ("/healthz", 200), ("/nothing", 404), ("/v1/devices/none", 404)):
        answer = client.request("GET", path, headers={"X-Request-ID": given}).expect(status)
        assert answer.headers.get_all("X-Request-ID") == [given]


@pytest.mark.parametrize("given", [None, "", " ", "a b", "x" * 65, "a\tb", "\u00e9", "a;b", "x" * 5000])
def test_request_id_is_made(client, given):
    headers = {"X-Request-ID": given.encode("latin-1") if given else given}
    seen = {client.request("GET", "/v1/host", headers=headers).expect(200).headers["X-Request-ID"] for _ in range(3)}
    assert len(seen) == 3 and all(re.fullmatch("[0-9a-f]{16}", each) for each in seen)


def test_request_id_of_a_change_is_returned(client):
    for method, body, status in (("PUT", {"spec": {"class": "net"}}, 201), ("DELETE", None, 204)):
        answer = client.request(method, "/v1/devices/d", body, {"X-Request-ID": "test-4711"}).expect(status)
        assert answer.headers["X-Request-ID"] == "test-4711"


def read_packed_lines(client, n_bytes=None):
    """What is sent of the lines, as far as it is read."""
    connection = Connection(connect(client.address))
    connection.request("GET", "/v1/devices", headers={"Accept": "application/x-ndjson", "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    packed = answer.read(n_bytes)
    connection.close()
    assert answer.status == 200 and answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return packed


def test_packed_lines(client):
    """All the same, and much smaller, whether there are none or many times what is compressed at a time."""
    n = 150
    assert [json.loads(line) for line in gzip.decompress(read_packed_lines(client)).splitlines()] == client.lines()
    for i in range(n):
        client.create(f"d{i:03}", net_spec(labels={"text": 200 * "x"}))
    packed = read_packed_lines(client)
    plain = gzip.decompress(packed)
    assert [json.loads(line) for line in plain.splitlines()] == client.lines()
    assert len(plain) > 100_000 and len(packed) < len(plain) / 5
    read_packed_lines(client, 100)
    assert len(client.lines()) == n + 1
    for i in range(n):
        client.delete(f"d{i:03}").expect(204)


@pytest.mark.parametrize("accepted, is_packed", [
    ("gzip", True), ("br, gzip", True), ("deflate;q=1, GZIP ; q=0.5", True), ("gzip;q=0", False), ("gzip;q=0.00", False),
    ("gzip;q=0.01", True), ("x-gzip", False), ("gzipped", False), ("identity", False), ("", False), (None, False)])
def test_compression(client, accepted, is_packed):
    for i in range(20):
        client.create(f"d{i}", {"class": "block"})
    connection = Connection(connect(client.address))
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    connection.putrequest("GET", "/v1/devices", skip_accept_encoding=True)
    for field, value in headers.items():
        connection.putheader(field, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.headers["Vary"] == "Accept, Accept-Encoding" and answer.headers["Content-Type"] == "application/json"
    assert answer.headers.get("Content-Encoding") == ("gzip" if is_packed else None)
    plain = gzip.decompress(body) if is_packed else body
    assert [device["name"] for device in json.loads(plain)["items"]] == sorted(f"d{i}" for i in range(20))
    assert not is_packed or len(body) < len(plain) / 5
    for i in range(20):
        client.delete(f"d{i}").expect(204)
