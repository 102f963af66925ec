# SPDX-License-Identifier: LGPL-2.1-or-later
"""What changes, as it changes: each change once, in order, resumable, and nobody waits for who is slow."""

import contextlib
import json

import pytest

from contract import CONTRACT
from support import net_spec, poll, scaled

NET = {"class": "net"}


class Watch:
    """One stream of events. Each is held against the document."""

    def __init__(self, client, since=None, last=None, validate=True):
        self.validate = validate
        query = "" if since is None else f"?since={since}"
        header = "" if last is None else f"Last-Event-ID: {last}\r\n"
        self.raw = client.raw().send(f"GET /v1/events{query} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode())
        self.file = self.raw.reader
        assert self.file.readline().split()[1] == b"200"
        fields = {}
        while (line := self.file.readline().strip()):
            key, _, value = line.partition(b": ")
            fields[key.lower()] = value
        assert fields[b"content-type"] == b"text/event-stream"
        assert fields[b"transfer-encoding"] == b"chunked"
        self.buffer = b""
        assert self.block() == b":"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.sock.close()

    def block(self):
        """What stands between two empty lines; None: the stream has ended."""
        while b"\n\n" not in self.buffer:
            size = int(self.file.readline() or b"0", 16)
            self.buffer += self.file.read(size)
            self.file.readline()
            if size == 0:
                return None
        block, _, self.buffer = self.buffer.partition(b"\n\n")
        return block

    def event(self):
        while (block := self.block()) == b":":
            pass
        if block is None:
            return None
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
        event = json.loads(fields["data"])
        assert fields["event"] == "device" and int(fields["id"]) == event["revision"]
        if self.validate:
            CONTRACT.validate(event, {"$ref": "#/components/schemas/Event"}, "event")
        return event

    def until(self, name, change):
        """The events up to one."""
        events = []
        while not events or (events[-1]["name"], events[-1]["change"]) != (name, change):
            events.append(self.event())
        return events


def test_life_of_a_device(client):
    with Watch(client) as watch:
        made = client.create("a", net_spec(owner="x"))
        events = watch.until("a", "added")
        while (event := watch.event())["device"]["status"]["state"] != "ready":
            assert event["change"] == "changed"
        assert event["device"] == made
        client.patch("a", {"owner": "y"}).expect(200)
        while (event := watch.event())["device"]["spec"]["owner"] != "y":
            pass
        client.delete("a").expect(204)
        events += watch.until("a", "removed")
        assert events[-1]["device"] is None and events[-1]["uid"] == made["uid"]
        revisions = [event["revision"] for event in events]
        assert revisions == sorted(set(revisions))


def test_the_revisions_of_a_creation_are_set_aside(client):
    """When it begins: what others have done meanwhile has higher ones, and so has the event that it is ready."""
    with Watch(client, since=client.revision()) as watch:
        made = [client.create(name, NET) for name in ("a", "b")]
        ready = {}
        while len(ready) < 2:
            event = watch.event()
            if event["device"]["status"]["state"] == "ready":
                ready.setdefault(event["name"], event)
    for device in made:
        event = ready[device["name"]]
        assert event["device"]["revision"] == device["revision"] == client.device(device["name"])["revision"]
        assert event["revision"] > device["revision"]
    assert made[0]["revision"] < made[1]["revision"] < client.revision()


def test_list_and_watch_has_no_gap(client):
    n = scaled(100)
    revision = client.revision()
    for i in range(n):
        client.create(f"d{i}", NET)
    for i in range(0, n, 2):
        client.delete(f"d{i}").expect(204)
    devices = {}
    with Watch(client, since=revision) as watch:
        client.create("last", NET)
        for event in watch.until("last", "added"):
            if event["change"] == "removed":
                del devices[event["name"]]
            else:
                devices[event["name"]] = event["device"]
    assert set(devices) - {"last"} == {f"d{i}" for i in range(1, n, 2)}


@pytest.mark.parametrize("way", ["since", "last"])
def test_resume(client, way):
    client.create("a", NET)
    with Watch(client, since=client.revision()) as watch:
        client.create("b", NET)
        seen = watch.until("b", "added")
    client.create("c", NET)
    with Watch(client, **{way: seen[-1]["revision"]}) as watch:
        rest = watch.until("c", "added")
    assert rest[0]["revision"] > seen[-1]["revision"]
    assert [e["name"] for e in rest if e["change"] == "added"] == ["c"]


def test_too_old(daemon, client):
    client.create("a", NET)
    revision = client.revision()
    daemon.stop()
    client = daemon.start()
    answer = client.request("GET", f"/v1/events?since={revision}").expect(410, "events-gone")
    assert str(revision) in answer.json["detail"]
    client.request("GET", "/v1/events?since=0").expect(410, "events-gone")
    client.request("GET", "/v1/events", headers={"Last-Event-ID": str(2**62)}).expect(410, "events-gone")


@pytest.mark.parametrize("query, header, pointer", [
    ("since=x", None, "/query/since"),
    ("since=-1", None, "/query/since"),
    ("from=1", None, "/query/from"),
    ("", "abc", "/header/Last-Event-ID"),
    ("", "01", "/header/Last-Event-ID"),
    ("", "99999999999999999999999", "/header/Last-Event-ID"),
])
def test_bad(client, query, header, pointer):
    headers = {"Last-Event-ID": header} if header else {}
    client.request("GET", f"/v1/events?{query}", headers=headers).expect(400, "invalid-request", pointer)


def test_many_watchers(make_daemon):
    n = scaled(200)
    daemon = make_daemon(f"[limits]\nmax_connections = {n + 50}\n")
    client = daemon.start()
    with contextlib.ExitStack() as stack:
        watches = [stack.enter_context(Watch(client, validate=False)) for _ in range(n)]
        for i in range(10):
            client.create(f"d{i}", NET)
        texts = {json.dumps(watch.until("d9", "added")) for watch in watches}
        assert len(texts) == 1
        client.delete("d9").expect(204)


def post(client, path, body):
    """Without a look at what is answered: it is long."""
    body = json.dumps(body).encode()
    with client.raw() as raw:
        raw.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert raw.answer("POST").status == 200


def test_who_does_not_read_is_cut_off(client):
    """And does not cost the others anything meanwhile."""
    with Watch(client) as slow, Watch(client, validate=False) as quick:
        names = [f"d{i}" for i in range(1000)]
        for _ in range(5):
            post(client, "/v1/devices:batchCreate", {"devices": [{"name": name, "spec": NET} for name in names]})
            quick.until(names[-1], "added")
            post(client, "/v1/devices:batchDelete", {"devices": [{"name": name} for name in names]})
            quick.until(names[-1], "removed")
        n = 0
        while slow.block() is not None:
            n += 1
        assert 0 < n < 16384


def test_stop_ends_the_stream(daemon, client):
    with Watch(client) as watch:
        client.create("a", NET)
        daemon.stop()
        assert watch.until("a", "added")
        while (event := watch.event()) is not None:
            assert event["name"] == "a"


def test_client_that_goes_is_forgotten(client):
    for _ in range(50):
        with Watch(client):
            pass
    client.create("a", NET)
    poll("an answer", lambda: client.device("a"))
