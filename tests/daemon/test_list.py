# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of devices: pages, filters, and what changes while it is read."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Connection, connect
from support import net_spec, scaled, sim_section

N_DEVICES = scaled(250)
JSON_TYPE = {"Content-Type": "application/json"}


def names_of(page):
    return [device["name"] for device in page["items"]]


def create_many(client, names, spec=None):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: client.create(name, spec or {"class": "block"}), names))


def test_pages(client):
    names = [f"d{i:03}" for i in range(N_DEVICES)]
    create_many(client, names)
    for limit in (1, 7, 100, N_DEVICES - 1, N_DEVICES, 1000):
        pages = list(client.pages(limit=limit))
        assert list(itertools.chain(*map(names_of, pages))) == names
        assert all(len(page["items"]) == limit for page in pages[:-1])
        assert len({page["revision"] for page in pages}) == 1
    assert len(client.get("/v1/devices").expect(200).json["items"]) == min(100, N_DEVICES)


def test_lines(client):
    """The same as lines, of which the last one tells what a page tells beside its items."""
    names = [f"d{i:03}" for i in range(N_DEVICES)]
    create_many(client, names)
    *listed, end = client.lines()
    assert {device["name"]: device for device in listed} == client.devices()
    assert [device["name"] for device in listed] == names
    assert end == {"revision": client.get("/v1/devices").json["revision"]}
    for limit in (1, 63, 64, 65, N_DEVICES - 1, N_DEVICES):
        *listed, end = client.lines(limit=limit)
        assert [device["name"] for device in listed] == names[:limit]
        assert ("continue" in end) == (limit < N_DEVICES)
        if limit < N_DEVICES:
            *rest, end = client.lines(**{"continue": end["continue"]})
            assert [device["name"] for device in rest] == names[limit:] and "continue" not in end
    client.get("/v1/devices", limit=1001).expect(400, "invalid-request", "/query/limit")


def test_lines_that_nobody_reads(daemon, client):
    """They are looked up as they are read: what comes meanwhile is not listed, what goes is not either."""
    create_many(client, [f"d{i:03}" for i in range(N_DEVICES)], net_spec(labels={"text": 200 * "x"}))
    with client.raw() as raw:
        raw.send(b"GET /v1/devices HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\nConnection: close\r\n\r\n")
        text = raw.sock.recv(1000)
        last = f"d{N_DEVICES - 1:03}"
        client.delete(last).expect(204)
        client.create(f"{last}-late", {"class": "block"})
        while piece := raw.sock.recv(65536):
            text += piece
    assert text.startswith(b"HTTP/1.1 200") and text.count(b'"generation"') in (N_DEVICES - 1, N_DEVICES)
    assert b"-late" not in text and b'{"revision":' in text
    assert client.host()["operations"] == 0


def test_lines_of_few_among_many(client):
    """More are looked at than one turn may look at, and others are answered meanwhile."""
    n = scaled(10_500)
    assert len(client.lines()) == 1
    connection = Connection(connect(client.address))
    for first in range(0, n, 5000):
        devices = [{"name": f"d{i:05}", "spec": {"class": "block"}} for i in range(first, min(first + 5000, n))]
        connection.request("POST", "/v1/devices:batchCreate", json.dumps({"devices": devices}), JSON_TYPE)
        assert connection.getresponse().read().count(b'"status":201') == len(devices)
    connection.close()
    last = client.create(f"d{n - 1:05}x", net_spec(owner="vm:1"))
    assert client.lines(owner="vm:1")[0]["uid"] == last["uid"]
    (end,) = client.lines(owner="nobody")
    assert set(end) == {"revision"}


def test_prefix(client):
    names = ["a", "ab", "abc", "abd", "ac", "b", "b-1"]
    create_many(client, names)
    for prefix in ["", *names, "abe", "az", "zz", "A", "no such name", 100 * "a"]:
        wanted = [name for name in names if name.startswith(prefix)]
        for limit in (1, 2, 100):
            listed = list(itertools.chain(*map(names_of, client.pages(prefix=prefix, limit=limit))))
            assert listed == wanted, prefix
    page = client.get("/v1/devices", prefix="ab", limit=2).json
    # It is known at once that there is no more, whatever comes behind.
    rest = client.get("/v1/devices", prefix="ab", limit=1, **{"continue": page["continue"]}).json
    assert names_of(rest) == ["abd"] and "continue" not in rest
    assert names_of(client.get("/v1/devices", prefix="a", **{"class": "net"}).json) == []
    client.get("/v1/devices?prefix=a&prefix=b").expect(400, "invalid-request", "/query/prefix")


def test_nothing_is_listed_twice_or_missed_while_others_write(client):
    """What is there from the first page to the last is listed once; what comes later is not listed at all."""
    stable = [f"d{i:03}s" for i in range(N_DEVICES)]
    doomed = [f"d{i:03}x" for i in range(0, N_DEVICES, 3)]
    create_many(client, stable + doomed)

    def churn(i):
        client.create(f"d{i:03}a", {"class": "block"})
        if i % 3 == 0:
            client.delete(f"d{i:03}x").expect(204)
            client.create(f"d{i:03}x", {"class": "block"})

    pages = client.pages(limit=7)
    listed = names_of(next(pages))
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(churn, i) for i in range(N_DEVICES)]
        listed += itertools.chain(*map(names_of, pages))
        for future in writing:
            future.result()

    assert len(listed) == len(set(listed))
    assert listed == sorted(listed)
    assert set(stable) <= set(listed) <= set(stable + doomed)
    assert len(client.devices()) == len(stable) + len(doomed) + N_DEVICES


def test_a_device_made_anew_is_another_one(client):
    create_many(client, ["a", "b", "c"])
    pages = client.pages(limit=1)
    assert names_of(next(pages)) == ["a"]
    client.delete("b").expect(204)
    client.create("b", {"class": "block"})
    client.patch("c", {"owner": "x"}).expect(200)
    rest = list(pages)
    assert list(itertools.chain(*map(names_of, rest))) == ["c"]


def test_a_listing_goes_on_after_a_restart(daemon, client):
    create_many(client, "abcd")
    page = client.get("/v1/devices", limit=2).expect(200).json
    client = daemon.restart()
    client.create("e", {"class": "block"})
    page = client.get("/v1/devices", limit=2, **{"continue": page["continue"]}).expect(200).json
    assert names_of(page) == ["c", "d"]


CONFIG = sim_section("sim0", classes="net,block") + sim_section("pci/0000:01:00.0", classes="net,gpu")

DEVICES = {
    "a": net_spec(mgmtdev="sim0", owner="vm:1", labels={"tenant": "a", "tier": "1"}),
    "b": net_spec(mgmtdev="sim0", owner="vm:1", labels={"tenant": "b"}),
    "c": net_spec(mgmtdev="pci/0000:01:00.0", owner="vm:2", labels={"tenant": "a", "tier": "2"}),
    "d": {"class": "block", "labels": {"tenant": "a=b", "empty": ""}},
    "e": {"class": "gpu", "owner": "vm:1", "labels": {"tenant": "ä &?", "tier": "1"}},
}

FILTERS = [
    ({}, "abcde"),
    ({"class": "net"}, "abc"),
    ({"class": "2"}, "d"),
    ({"class": "gpu"}, "e"),
    ({"class": "fs"}, ""),
    ({"state": "ready"}, "abcde"),
    ({"state": "failed"}, ""),
    ({"mgmtdev": "sim0"}, "abd"),
    ({"mgmtdev": "pci/0000:01:00.0"}, "ce"),
    ({"mgmtdev": "pci/0000:02:00.0"}, ""),
    ({"owner": "vm:1"}, "abe"),
    ({"owner": ""}, "d"),
    ({"owner": "vm"}, ""),
    ({"label": "tenant=a"}, "ac"),
    ({"label": ["tenant=a", "tier=1"]}, "a"),
    ({"label": ["tier=1", "tier=1"]}, "ae"),
    ({"label": "tenant=a=b"}, "d"),
    ({"label": "tenant=ä &?"}, "e"),
    ({"label": "empty="}, "d"),
    ({"label": "tenant="}, ""),
    ({"label": "no=1"}, ""),
    ({"class": "net", "owner": "vm:1", "label": "tenant=b", "state": "ready", "mgmtdev": "sim0"}, "b"),
]


@pytest.fixture(scope="module")
def filled(shared_daemon):
    client = shared_daemon.client()
    for name, spec in DEVICES.items():
        client.create(name, spec)
    return client


@pytest.mark.parametrize("limit", [1, 2, 1000])
@pytest.mark.parametrize("query, names", FILTERS, ids=lambda value: str(value))
def test_filters(filled, query, names, limit):
    assert sorted(filled.devices(limit=limit, **query)) == list(names)


@pytest.mark.parametrize("query, names", FILTERS, ids=lambda value: str(value))
def test_filters_of_lines(filled, query, names):
    *listed, end = filled.lines(**query)
    assert [device["name"] for device in listed] == list(names) and "continue" not in end


def test_a_token_is_only_taken_as_it_was_given(filled):
    token = filled.get("/v1/devices", limit=1).expect(200).json["continue"]
    revision, _, name = token.partition(".")
    bad = [
        "", ".", name, f".{name}", f"{revision}.", f"{revision}.A", f"0x{revision}.{name}", f"{token}/",
        f"ffffffffffffffff.{name}", f"1{token}", f"00000000000000000{token}", token.upper(),
    ]
    for text in bad:
        filled.get("/v1/devices", **{"continue": text}).expect(400, "invalid-request", "/query/continue")
