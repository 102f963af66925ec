# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with a body: each fault is told with its JSON pointer, and nothing changes.

The tests share one daemon, whose inventory is compared before and after each."""

import json

import pytest

from support import net_spec, sim_section

MAC = "02:00:00:00:00:2a"

CONFIG = (
    sim_section("sim0", classes="net,block,gpu")
    + sim_section("pci/0000:01:00.0", classes="net", max_devices=1)
)

KEPT = {
    "kept": net_spec(MAC, mgmtdev="sim0", owner="a", labels={"x": "1"}),
    "full": net_spec(mgmtdev="pci/0000:01:00.0"),
}


@pytest.fixture(scope="module")
def filled(shared_daemon):
    client = shared_daemon.client()
    for name, spec in KEPT.items():
        client.create(name, spec)
    return client


@pytest.fixture
def client(filled):
    """Asserts that the inventory is the same, to the byte, after the test, and that the daemon is idle."""
    before = filled.get("/v1/devices").expect(200).body
    yield filled
    assert filled.get("/v1/devices").expect(200).body == before
    host = filled.host()
    assert host["operations"] == 0 and host["devices"]["ready"] == len(KEPT)


def with_member(pointer, value):
    """The body of a request that is right but for what stands at the pointer."""
    body = {"spec": net_spec(MAC, features=["VERSION_1", "MAC", "MTU", "MQ"], labels={}, endpoint={})}
    *parents, last = pointer.split("/")[1:]
    place = body
    for member in parents:
        place = place[member]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last.replace("~1", "/").replace("~0", "~")] = value
    return body


NO_STRING = [1, 1.5, True, [], {}]
NO_INTEGER = ["1", "", True, 1.0, 1e3, 68.5, [], {}]
NO_OBJECT = [1, True, "x", "", []]

# Pointer -> what must not stand there.
BAD_VALUES = {
    "/spec": [*NO_OBJECT, None],
    "/name": [*NO_STRING, "", "A", "a/b", ".a", "a.", "x" * 64, "ä", "other name"],
    "/spec/class": [
        *NO_STRING, None, "", "NET", "nic", "0", "64", "-1", "1.0", "+1", " net", "net ", "n" * 33,
    ],
    "/spec/mgmtdev": [
        *NO_STRING, "", "/", "a/", "/a", "a/b/c", "a//b", ".", "..", "pci/..", "a b", "ä", "x" * 128,
    ],
    "/spec/driver": [*NO_STRING, "", "vhost-vdpa", "VHOST_VDPA", "other", "none", "vdpa"],
    "/spec/features": [1, True, "MAC", {}, ["MAC", "MTU", "MQ"] * 22],
    "/spec/features/0": [
        *NO_STRING, None, "", "mac", "NOPE", "VIRTIO_NET_F_MAC", "bit_64", "bit_5", "bit_04", "ZONED",
    ],
    "/spec/net": NO_OBJECT,
    "/spec/net/mac": [
        *NO_STRING, "", "02:00:00:00:00", "02:00:00:00:00:2a:00", "02-00-00-00-00-2a", "0200.0000.002a",
        "2:0:0:0:0:2a", "02:00:00:00:00:2g", "02:00:00:00:00 2a", " 2:00:00:00:00:2a", "01:00:00:00:00:00",
        "33:33:00:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "x" * 65,
    ],
    "/spec/net/mtu": [*NO_INTEGER, 0, 1, 67, 65536, -1, -1500, 2**31, 2**32 + 1500, 2**63 - 1, -(2**63)],
    "/spec/net/max_vqp": [*NO_INTEGER, 0, -1, 32768, 65537, 2**32 + 1],
    "/spec/owner": [*NO_STRING, "x" * 257, "ä" * 129],
    "/spec/labels": [*NO_OBJECT, {f"k{i}": "" for i in range(33)}],
    "/spec/labels/k": [*NO_STRING, None, "x" * 257],
    "/spec/labels/a~1b~0c": [1],
    "/spec/labels/": ["x"],
    f"/spec/labels/{'k' * 64}": ["x"],
    "/spec/drift": ["", "no", "Enforce", 0, True, [], {}],
    "/spec/persistent": [0, 1, "true", "", [], {}],
    "/spec/lease_seconds": [*NO_INTEGER, -1, 31622401, 2**63 - 1],
    "/spec/endpoint": NO_OBJECT,
    "/spec/endpoint/uid": [*NO_INTEGER, -1, 2**32 - 1, 2**32],
    "/spec/endpoint/gid": [*NO_INTEGER, -1, 2**32 - 1, 2**32],
    "/spec/endpoint/mode": [
        0o600, True, [], "", "0800", "rw-", "1000", "07777", "-600", "+600", " 600", "0600 ", "0x180",
        "000000600",
    ],
    "/bogus": [1, None, {}],
    "/status": [{}],
    "/spec/bogus": [1, None, {}],
    "/spec/Class": ["net"],
    "/spec/net/bogus": [1, None],
    "/spec/net/mac ": [MAC],
    "/spec/endpoint/bogus": ["x"],
    "/spec/%s%n%100000d": [1],
    '/spec/"\\\x01\n\x7f': [1],
    "/spec/~0~1~01": [1],
}

VALUES = [(pointer, value) for pointer, values in BAD_VALUES.items() for value in values]


@pytest.mark.parametrize("pointer, value", VALUES, ids=lambda value: ascii(value)[:40])
def test_bad_value(client, pointer, value):
    body = with_member(pointer, value)
    client.request("PUT", "/v1/devices/new", body).expect(400, "invalid-request", pointer)
    client.request("POST", "/v1/devices", body).expect(400, "invalid-request", pointer)


# Faults that are no one value's; and several at once.
BAD_BODIES = [
    ({}, ["/spec"]),
    ({"Spec": {}}, ["/spec", "/Spec"]),
    ({"spec": {}}, ["/spec/class"]),
    ({"spec": {"class": "block", "net": {}}}, ["/spec/net"]),
    ({"spec": {"class": "gpu", "net": {"mtu": 1500}}}, ["/spec/net"]),
    ({"spec": {"class": "block", "features": ["MAC"]}}, ["/spec/features/0"]),
    ({"spec": net_spec(MAC, features=[])}, ["/spec/net/mac"]),
    ({"spec": net_spec(mtu=1500, features=["MAC"])}, ["/spec/net/mtu"]),
    ({"spec": net_spec(max_vqp=2, features=["MAC"])}, ["/spec/net/max_vqp"]),
    (
        {
            "name": "-",
            "spec": {"class": "nic", "driver": 1, "features": [1, "x", 2], "lease_seconds": -5, "b": 0},
            "c": 1,
        },
        [
            "/name", "/spec/class", "/spec/driver", "/spec/features/0", "/spec/features/2",
            "/spec/lease_seconds", "/spec/b", "/c",
        ],
    ),
    (
        {"spec": net_spec("x", 1, 0, endpoint={"mode": "9"}, b=0)},
        ["/spec/net/mac", "/spec/net/mtu", "/spec/net/max_vqp", "/spec/b", "/spec/endpoint/mode"],
    ),
]


@pytest.mark.parametrize("body, pointers", BAD_BODIES)
def test_bad_body(client, body, pointers):
    client.request("PUT", "/v1/devices/new", body).expect(400, "invalid-request", *pointers)
    client.request("POST", "/v1/devices", body).expect(400, "invalid-request", *pointers)


def test_many_faults_are_counted(client):
    spec = {"class": "net", **{f"b{i}": 0 for i in range(1000)}}
    answer = client.put("new", spec).expect(400, "invalid-request")
    assert len(answer.json["errors"]) == 32
    assert answer.json["errors_omitted"] == 1000 - 32


@pytest.mark.parametrize("part", ["k", "ä", "aä", "~", "/", "\U0001f600", "%n"])
def test_long_pointers_are_cut(client, part):
    answer = client.put("new", {"class": "net", part * 10000: 1}).expect(400, "invalid-request")
    assert len(answer.pointers()) == 1 and len(answer.body) < 2000


def test_the_name_in_the_body_is_that_in_the_path(client):
    body = {"name": "old", "spec": {"class": "net"}}
    client.request("PUT", "/v1/devices/new", body).expect(400, "invalid-request", "/name")


BAD_PATCHES = [
    ({}, ["/spec"]),
    ({"spec": 1}, ["/spec"]),
    ({"spec": None}, ["/spec"]),
    ({"owner": "b"}, ["/owner", "/spec"]),
    ({"spec": {"owner": 1}}, ["/spec/owner"]),
    ({"spec": {"owner": "x" * 257}}, ["/spec/owner"]),
    ({"spec": {"labels": 1}}, ["/spec/labels"]),
    ({"spec": {"labels": {"k": 1, "l": []}}}, ["/spec/labels/k", "/spec/labels/l"]),
    ({"spec": {"labels": {f"k{i}": "" for i in range(32)}}}, ["/spec/labels"]),
    ({"spec": {"net": 1}}, ["/spec/net"]),
    ({"spec": {"net": {"mac": "01:00:00:00:00:00"}}}, ["/spec/net/mac"]),
    ({"spec": {"net": {"mac": 1, "bogus": 1}}}, ["/spec/net/mac", "/spec/net/bogus"]),
    ({"spec": {"bogus": 1}}, ["/spec/bogus"]),
    ({"spec": {"class": None}}, ["/spec/class"]),
    ({"spec": {"owner": "b", "driver": "vdpa"}}, ["/spec/driver"]),
    ({"spec": {"owner": "b"}, "name": "other"}, ["/name"]),
]


@pytest.mark.parametrize("body, pointers", BAD_PATCHES)
def test_bad_patch(client, body, pointers):
    client.request("PATCH", "/v1/devices/kept", body).expect(400, "invalid-request", *pointers)


IMPOSSIBLE = [
    ({"class": "fs"}, 422, "unsatisfiable"),
    ({"class": "block", "mgmtdev": "pci/0000:01:00.0"}, 422, "unsatisfiable"),
    ({"class": "net", "features": ["RSS"]}, 422, "unsatisfiable"),
    (net_spec(max_vqp=33), 422, "unsatisfiable"),
    (net_spec(mgmtdev="pci/0000:02:00.0"), 422, "unsatisfiable"),
    (net_spec(mgmtdev="pci/0000:01:00.0"), 409, "no-capacity"),
]


@pytest.mark.parametrize("spec, status, code", IMPOSSIBLE)
def test_what_cannot_be_made(client, spec, status, code):
    client.put("new", spec).expect(status, code)
    client.request("POST", "/v1/devices", {"spec": spec}).expect(status, code)


def spec_text(member):
    """The text of a right body but for one member of its spec, as it stands."""
    return b'{"spec":{"class":"net",%s}}' % member


DEEP = 100_000

# What is not JSON, and what is JSON that is refused.
MALFORMED, INVALID = "malformed-json", "invalid-request"

# Name, text, code, pointer (None: not told to the byte).
BAD_TEXTS = [
    ("none", b"", INVALID, ""),
    ("null", b"null", INVALID, ""),
    ("array", b"[]", INVALID, ""),
    ("string", b'"{}"', INVALID, ""),
    ("number", b"1", INVALID, ""),
    ("blank", b" \n", MALFORMED, ""),
    ("word", b"spec", MALFORMED, ""),
    ("truncated", b'{"spec":{"class":"net"', MALFORMED, ""),
    ("truncated string", b'{"spec":{"class":"ne', MALFORMED, ""),
    ("truncated escape", b'{"spec":{"class":"\\u00', MALFORMED, ""),
    ("more behind it", b'{"spec":{"class":"net"}} x', MALFORMED, ""),
    ("two documents", b'{"spec":{"class":"net"}}{}', MALFORMED, ""),
    ("comma too many", b'{"spec":{"class":"net",}}', MALFORMED, ""),
    ("comment", b'{"spec":{"class":"net"}}//', MALFORMED, ""),
    ("single quotes", b"{'spec':{}}", MALFORMED, ""),
    ("not a number", spec_text(b'"lease_seconds":NaN'), MALFORMED, ""),
    ("leading zero", spec_text(b'"lease_seconds":00'), MALFORMED, ""),
    ("hexadecimal", spec_text(b'"lease_seconds":0x0'), MALFORMED, ""),
    ("NUL byte", b'{"spec":{"class":"net"}}\0', MALFORMED, ""),
    ("NUL byte in a string", spec_text(b'"owner":"a\0b"'), MALFORMED, ""),
    ("control character", spec_text(b'"owner":"a\nb"'), MALFORMED, ""),
    ("not UTF-8", spec_text(b'"owner":"\xff"'), MALFORMED, ""),
    ("overlong UTF-8", spec_text(b'"owner":"\xc0\x80"'), MALFORMED, ""),
    ("surrogate in UTF-8", spec_text(b'"owner":"\xed\xa0\x80"'), MALFORMED, ""),
    ("lone surrogate", spec_text(b'"owner":"\\ud800"'), MALFORMED, ""),
    ("byte order mark", b'\xef\xbb\xbf{"spec":{"class":"net"}}', MALFORMED, ""),
    ("UTF-16", '{"spec":{"class":"net"}}'.encode("utf-16"), MALFORMED, ""),
    ("NUL in a value", spec_text(b'"owner":"a\\u0000b"'), INVALID, "/spec/owner"),
    ("NUL in a key", spec_text(b'"own\\u0000er":"a"'), INVALID, None),
    ("key twice", b'{"spec":{"class":"net"},"spec":{}}', INVALID, "/spec"),
    ("key twice in the spec", spec_text(b'"owner":"a","owner":"a"'), INVALID, "/spec/owner"),
    ("key twice in net", spec_text(b'"net":{"mtu":1500,"mtu":1400}'), INVALID, "/spec/net/mtu"),
    ("key twice in labels", spec_text(b'"labels":{"a":"","\\u0061":""}'), INVALID, "/spec/labels/a"),
    ("too large an integer", spec_text(b'"net":{"mtu":99999999999999999999}'), INVALID, "/spec/net/mtu"),
    ("too small an integer", spec_text(b'"net":{"mtu":-99999999999999999999}'), INVALID, "/spec/net/mtu"),
    ("too large a number", spec_text(b'"net":{"mtu":1e999}'), INVALID, "/spec/net/mtu"),
    ("many digits", spec_text(b'"net":{"mtu":1' + b"0" * 100_000 + b"}"), INVALID, "/spec/net/mtu"),
    ("deep arrays", b"[" * DEEP + b"]" * DEEP, INVALID, None),
    ("deep arrays, unfinished", b"[" * DEEP, INVALID, None),
    ("deep objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP, INVALID, None),
    ("deep labels", spec_text(b'"labels":{"a":' + b"[" * DEEP + b"]" * DEEP + b"}"), INVALID, None),
    ("less deep", spec_text(b'"labels":{"a":' + b"[" * 28 + b"]" * 28 + b"}"), INVALID, "/spec/labels/a"),
]


@pytest.mark.parametrize("name, text, code, pointer", BAD_TEXTS, ids=[case[0] for case in BAD_TEXTS])
def test_bad_text(client, name, text, code, pointer):
    headers = {"Content-Type": "application/json"}
    for method, path in (("PUT", "/v1/devices/new"), ("POST", "/v1/devices"), ("PATCH", "/v1/devices/kept")):
        answer = client.request(method, path, text, headers).expect(400, code)
        assert len(answer.pointers()) == 1
        assert pointer is None or answer.pointers() == [pointer]


def test_what_is_odd_and_right(filled):
    """As far as it goes: texts that look like the above and are well-formed."""
    texts = [
        b' \r\n\t{"spec" : {"class" :\n"net"} } \n',
        b'{"\\u0073pec":{"class":"n\\u0065t"}}',
        b'{"spec":{"class":"net","owner":null,"lease_seconds":-0}}',
        json.dumps({"spec": {"class": "net"}}).encode() + b" " * 500_000,
    ]
    for text in texts:
        filled.request("PUT", "/v1/devices/new", text, {"Content-Type": "application/json"}).expect(201)
        filled.delete("new").expect(204)
