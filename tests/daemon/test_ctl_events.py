# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl event watch."""

import json

import pytest
import yaml

from ctl import LOCAL, OK, PROGRAM, REFUSED, TIMEOUT, UNREACHABLE, USAGE, Ctl
from support import DEADLINE

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def watch(ctl):
    """A function that starts to watch since a revision."""
    with ctl.spawning() as spawn:
        yield lambda since, *arguments: spawn("event", "watch", f"--since={since}", *arguments)


def revision(client):
    return client.get("/v1/devices?limit=1").expect(200).json["revision"]


def test_lines(watch, client):
    out = watch(revision(client)).stdout
    client.create("a", {"class": "net", "owner": "x"})
    assert out.readline().split() == ["REVISION", "CHANGE", "NAME", "STATE", "ENDPOINT", "MGMTDEV", "OWNER"]
    assert out.readline().split()[1:3] == ["added", "a"]
    line = out.readline().split()
    while line[3] != "ready":
        assert line[1:3] == ["changed", "a"]
        line = out.readline().split()
    assert line[5:] == ["sim0", "x"]
    client.delete("a").expect(204)
    states = []
    while line[1] != "removed":
        states.append(line[3])
        line = out.readline().split()
    assert states[-1] == "deleting" and line[2] == "a"


def test_documents(ctl, client):
    since = revision(client)
    client.create("a", {"class": "net"})
    client.create("b", {"class": "net"})
    now = revision(client)
    lines = ctl("event", "watch", f"--since={since}", "--count=2", "-o", "json").splitlines()
    events = [json.loads(line) for line in lines]
    assert [(e["change"], e["name"]) for e in events] == [("added", "a"), ("changed", "a")]
    assert since < events[0]["revision"] < events[1]["revision"] < now
    documents = list(yaml.safe_load_all(ctl("event", "watch", f"--since={since}", "--count=2", "-o", "yaml")))
    assert documents == events

    only = ctl("event", "watch", "b", f"--since={since}", "--count=1", "-o", "json")
    assert json.loads(only)["name"] == "b"


def test_the_next_one_without_since(ctl, watch, client):
    client.create("a", {"class": "net"})
    process = ctl.spawn("event", "watch", "--timeout=1", "-o", "json")
    assert process.communicate(timeout=DEADLINE) == ("", "")
    assert process.returncode == OK


def test_too_few_in_time(ctl, client):
    assert ctl.run("event", "watch", "--count=1", "--timeout=1").returncode == TIMEOUT


def test_a_daemon_that_starts_again(daemon, client, watch):
    """Goes on; what the new one does not know is said to be missing."""
    process = watch(revision(client), "-o", "json")
    client.create("a", {"class": "net"})
    assert json.loads(process.stdout.readline())["change"] == "added"
    daemon.kill9()
    assert "ended the stream" in process.stderr.readline()
    client = daemon.start()
    assert "has gaps" in process.stderr.readline()

    # The watcher may not be there yet: until it is, there is something to see.
    event = {"name": ""}
    while event["name"] != "d":
        client.patch("a", {"labels": {"n": str(revision(client))}}).expect(200)
        client.create("d", {"class": "net"})
        client.delete("d").expect(204)
        event = json.loads(process.stdout.readline())


def test_not_known_any_more(daemon, ctl, client):
    client.create("a", {"class": "net"})
    daemon.restart()
    complaint = ctl("event", "watch", "--since=1", expect=REFUSED)
    assert "events-gone" in complaint and "Hint" in complaint


def test_nobody_there(daemon, ctl, client):
    daemon.stop()
    ctl("event", "watch", expect=UNREACHABLE)
    ctl("event", "watch", "--since=1", expect=UNREACHABLE)


def test_nobody_reads(ctl, client):
    since = revision(client)
    client.create("a", {"class": "net"})
    process = ctl.spawn("event", "watch", f"--since={since}")
    process.stdout.close()
    assert process.wait(DEADLINE) in (LOCAL, -13)


@pytest.mark.parametrize("arguments", [["--since=x"], ["--since=-1"], ["--count=0"], ["--count=x"]])
def test_a_wrong_command_line(ctl, client, arguments):
    ctl("event", "watch", *arguments, expect=USAGE)
