# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with a request besides its body: path, name, method, query, header fields, size."""

import json

import pytest

from contract import CONTRACT
from support import net_spec

MAX_BODY = 65536

CONFIG = f"[limits]\nmax_body_bytes = {MAX_BODY}\n"

BODY = {"spec": {"class": "net"}}
TEXT = json.dumps(BODY).encode()
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def filled(shared_daemon):
    client = shared_daemon.client()
    client.create("kept", net_spec("02:00:00:00:00:2a", owner="a"))
    return client


@pytest.fixture
def client(filled):
    """Asserts that the inventory is the same, to the byte, after the test, and that the daemon is idle."""
    before = filled.get("/v1/devices").expect(200).body
    yield filled
    assert filled.get("/v1/devices").expect(200).body == before
    assert filled.host()["operations"] == 0


BAD_NAMES = [
    "A", "aB", ".a", "a.", "-a", "a-", "_a", "a_", ".", "..", "...", "%2e", "%2e%2e", "a%20", "%20a", "a%20b",
    "a%0a", "%00", "a%00", "a%00b", "a%", "%zz", "a%2", "a:b", "a@b", "a~", "%C3%A4", "%ff", "a%7f", "x" * 64,
    "x" * 2000, "a+b", "a;b",
    "kept%2Fstats", "kept%2f", "%2Fkept", "kept%3F", "kept%252F",
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: name[:20])
def test_bad_name(client, name):
    path = f"/v1/devices/{name}"
    client.get(path).expect(400, "invalid-request", "/name")
    client.get(path + "/stats").expect(400, "invalid-request", "/name")
    client.delete(name, missing_ok="true").expect(400, "invalid-request", "/name")
    client.put(name, BODY["spec"]).expect(400, "invalid-request", "/name")
    client.patch(name, {"owner": "b"}).expect(400, "invalid-request", "/name")


def test_faults_of_path_query_and_body_are_told_together(client):
    body = {"spec": {"class": 1}, "b": 1}
    answer = client.request("PUT", "/v1/devices/A", body, query={"x": "1", "y": "2"})
    answer.expect(400, "invalid-request", "/name", "/spec/class", "/b", "/query/x", "/query/y")


GOOD_NAMES = ["a", "0", "x" * 63, "a.b_c-d", "1.2.3", "a--b", "%61"]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_name(filled, name):
    assert filled.create(name, {"class": "net"})["name"] == name.replace("%61", "a")
    filled.delete(name).expect(204)


UNKNOWN_PATHS = [
    "/", "//", "/v1", "/v1/", "/v1//devices", "//v1/devices", "/v1/devices/", "/v1/devices//",
    "/v1/devices//stats", "/v1/devices/a/b", "/v1/devices/kept/", "/v1/devices/kept/stats/",
    "/v1/devices/kept/stat", "/v1/device", "/V1/devices", "/v2/devices", "/v1/devices%00", "/v1/mgmtdevs/",
    "/healthz/", "/healthz/x", "/openapi.yml", "/openapi.json", "/../v1/host", "/v1/./host",
    "/v1/host/../host", "/favicon.ico", "/" + "x" * 4000, "/%", "/%C3%A4", "/v1%2Fdevices",
]


@pytest.mark.parametrize("path", UNKNOWN_PATHS, ids=lambda path: path[:30])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_unknown_path(client, method, path):
    client.request(method, path).expect(404, "not-found")


METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X" * 100]


@pytest.mark.parametrize("template", CONTRACT.document["paths"])
def test_unknown_method(client, template):
    """The contract's check also holds Allow against the document."""
    has = {method for method, path in CONTRACT.operations() if path == template} | {"HEAD"}
    path = template.replace("{name}", "kept").replace("{handle}", "sim0")
    for method in METHODS:
        if method not in has:
            answer = client.request(method, path)
            assert answer.status == 405
            assert method == "HEAD" or answer.code == "method-not-allowed"


BAD_LIMITS = [
    "", "0", "1001", "-1", "1.0", "1e2", "x", "%201", "1%20", "%2B1", "0x10", "1%00", "9" * 30, 2**64 + 1,
]

BAD_QUERIES = [
    ("x=1", ["x"]),
    ("x", ["x"]),
    ("limit=10&x=1&y=2", ["x", "y"]),
    ("Limit=1", ["Limit"]),
    ("=1", [""]),
    ("limit=1&limit=1", ["limit"]),
    ("limit", ["limit"]),
    *((f"limit={value}", ["limit"]) for value in BAD_LIMITS),
    ("continue=", ["continue"]),
    ("continue=1.a&continue=1.a", ["continue"]),
    *((f"class={value}", ["class"]) for value in ("", "nic", "0", "64", "NET", "net%00", "-1")),
    ("class=net&class=net", ["class"]),
    *((f"state={value}", ["state"]) for value in ("", "READY", "gone", "0")),
    *((f"mgmtdev={value}", ["mgmtdev"]) for value in ("", "/", "a/b/c", "..", "%20")),
    ("owner=a&owner=b", ["owner"]),
    ("owner", ["owner"]),
    ("label=", ["label"]),
    ("label=x", ["label"]),
    ("label==x", ["label"]),
    ("label=a=b&label=x&label=y", ["label", "label"]),
    ("&".join(f"label=k{i}=v" for i in range(9)), ["label"]),
    ("dry_run=true", ["dry_run"]),
    ("a~b/c=1", ["a~0b~1c"]),
]


@pytest.mark.parametrize("query, names", BAD_QUERIES, ids=lambda value: str(value)[:30])
def test_bad_query_of_a_listing(client, query, names):
    pointers = [f"/query/{name}" for name in names]
    client.get(f"/v1/devices?{query}").expect(400, "invalid-request", *pointers)


def test_many_parameters(client):
    query = "&".join(f"x{i}=1" for i in range(200))
    answer = client.get(f"/v1/devices?{query}").expect(400, "invalid-request")
    assert len(answer.json["errors"]) == 32 and answer.json["errors_omitted"] > 0


@pytest.mark.parametrize("method, template", sorted(CONTRACT.operations()))
def test_unknown_parameter_of_any_operation(client, method, template):
    path = template.replace("{name}", "kept").replace("{handle}", "sim0")
    body = BODY if method in ("PUT", "POST", "PATCH") else None
    if ":batch" in template:
        body = {"devices": [{"name": "new", **(BODY if template.endswith("Create") else {})}]}
    if template.endswith((":renew", ":repair", ":claim")):
        body = {}
    if template == "/v1/pools/{name}":
        body = {"spec": {"device": BODY["spec"], "high": 1}} if body else None
    if template.endswith(":return"):
        body = {"device": "kept"}
    known = CONTRACT.query_parameters(method, template)
    for query, name in (("x=1", "x"), ("x", "x"), ("dry_run=true", "dry_run"), ("limit=1", "limit")):
        if name in known:
            continue
        client.request(method, f"{path}?{query}", body).expect(400, "invalid-request", f"/query/{name}")


BAD_DELETIONS = [
    "missing_ok=yes", "missing_ok=1", "missing_ok=", "missing_ok", "missing_ok=TRUE",
    "missing_ok=true&missing_ok=true", "uid=x", "uid=", "uid=01a20316-3960-77e4-bfb4",
]


@pytest.mark.parametrize("query", BAD_DELETIONS)
def test_bad_query_of_a_deletion(client, query):
    name = query.partition("=")[0]
    client.request("DELETE", f"/v1/devices/kept?{query}").expect(400, "invalid-request", f"/query/{name}")


# What the daemon would have to do, or not do, and cannot.
NOT_IMPLEMENTED = [
    (methods, field, value)
    for methods, field, value in (
        ("PATCH DELETE", "If-None-Match", "*"),
        ("PUT POST PATCH DELETE", "If-Unmodified-Since", "Sun, 22 Nov 2026 11:00:00 GMT"),
    )
]


@pytest.mark.parametrize("methods, field, value", NOT_IMPLEMENTED)
def test_not_implemented(client, methods, field, value):
    for method in methods.split():
        path = "/v1/devices" if method == "POST" else "/v1/devices/kept"
        body = None if method == "DELETE" else BODY
        client.request(method, path, body, {field: value}).expect(501, "not-implemented")
    client.request("GET", "/v1/devices/none", headers={field: value}).expect(404)


BAD_KEYS = ["", " ", '""', "x" * 129, '"' + "x" * 129 + '"', "a b", "a\tb", "k\xe4"]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_bad_idempotency_key(client, key):
    for method, path in (("PUT", "/v1/devices/new"), ("POST", "/v1/devices"), ("PATCH", "/v1/devices/kept"),
                         ("DELETE", "/v1/devices/kept")):
        body = None if method == "DELETE" else BODY
        answer = client.request(method, path, body, {"Idempotency-Key": key})
        answer.expect(400, "invalid-request", "/header/Idempotency-Key")


@pytest.mark.parametrize("field, value", [("If-None-Match", '"1"'), ("If-None-Match", ""), ("If-Match", "1")])
def test_bad_condition_of_a_creation(client, field, value):
    client.request("PUT", "/v1/devices/new", BODY, {field: value}).expect(400, "invalid-request", f"/header/{field}")


@pytest.mark.parametrize("field", ["Idempotency-Key", "If-Match", "If-None-Match"])
def test_a_field_twice(client, field):
    with client.raw() as raw:
        raw.send(f'DELETE /v1/devices/kept HTTP/1.1\r\nHost: x\r\n{field}: "1"\r\n{field}: "2"\r\n\r\n'.encode())
        raw.answer("DELETE").expect(501 if field == "If-None-Match" else 400)


@pytest.mark.parametrize("query", ["generation=0", "generation=x", "generation=", "generation=4294967296", "uid=1"])
def test_bad_precondition(client, query):
    name = query.partition("=")[0]
    for method in ("PUT", "DELETE"):
        body = None if method == "DELETE" else BODY
        answer = client.request(method, f"/v1/devices/kept?{query}", body)
        answer.expect(400, "invalid-request", f"/query/{name}")


OTHER_TYPES = [
    None, "", "text/plain", "application/jsonx", "application/json-patch+json", "json", "application",
    "application/json, text/plain", "text/plain; application/json", "application/x-www-form-urlencoded",
]


@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_other_media_type(client, kind):
    for method, path in (("PUT", "/v1/devices/new"), ("POST", "/v1/devices"), ("PATCH", "/v1/devices/kept")):
        client.request(method, path, TEXT, {"Content-Type": kind}).expect(415, "unsupported-media-type")


def test_a_merge_patch_is_for_patch_only(client):
    kind = {"Content-Type": "application/merge-patch+json"}
    client.request("PUT", "/v1/devices/new", TEXT, kind).expect(415, "unsupported-media-type")
    client.request("PATCH", "/v1/devices/kept", b'{"spec":{}}', kind).expect(200)


SAME_TYPES = ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;"]


@pytest.mark.parametrize("kind", SAME_TYPES)
def test_same_media_type(filled, kind):
    filled.request("PUT", "/v1/devices/new", TEXT, {"Content-Type": kind}).expect(201)
    filled.delete("new").expect(204)


def test_a_content_encoding_is_refused(client):
    headers = {**JSON, "Content-Encoding": "gzip"}
    client.request("PUT", "/v1/devices/new", b"\x1f\x8b", headers).expect(415, "unsupported-media-type")


def test_a_body_where_none_belongs(client):
    for method, path in (("GET", "/v1/devices"), ("GET", "/v1/host"), ("DELETE", "/v1/devices/kept")):
        client.request(method, path, TEXT, JSON).expect(400, "invalid-request")


def padded(size):
    return TEXT + b" " * (size - len(TEXT))


@pytest.mark.parametrize("more", [1, MAX_BODY, 4 << 20])
def test_too_large_a_body(client, more):
    text = padded(MAX_BODY + more)
    for method, path in (("PUT", "/v1/devices/new"), ("POST", "/v1/devices"), ("PATCH", "/v1/devices/kept")):
        client.request(method, path, text, JSON).expect(413, "body-too-large")


@pytest.mark.parametrize("more", [1, 4 << 20])
def test_too_large_a_body_in_chunks(client, more):
    text = padded(MAX_BODY + more)
    chunks = [text[i:i + 8000] for i in range(0, len(text), 8000)]
    data = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    header = (b"PUT /v1/devices/new HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
              b"Transfer-Encoding: chunked\r\n\r\n")
    with client.raw() as raw:
        raw.send(header + data + b"0\r\n\r\n").answer("PUT").expect(413, "body-too-large")


def test_a_body_of_just_the_limit(filled):
    filled.request("PUT", "/v1/devices/new", padded(MAX_BODY), JSON).expect(201)
    filled.delete("new").expect(204)
