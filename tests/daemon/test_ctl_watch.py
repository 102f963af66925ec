# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl --watch."""

import json

import pytest
import yaml

from ctl import NOT_FOUND, PROGRAM, UNREACHABLE, USAGE, Ctl, Terminal
from support import DEADLINE, poll

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def watch(ctl):
    """A function that starts to watch; lines of it can be read."""
    with ctl.spawning() as spawn:
        yield spawn


def test_lines(watch, client):
    client.create("a", {"class": "net"})
    out = watch("device", "list", "--watch").stdout
    assert out.readline().split()[:3] == ["EVENT", "NAME", "STATE"]
    assert out.readline().split()[:3] == ["added", "a", "ready"]
    client.create("b", {"class": "block", "owner": "x"})
    assert out.readline().split()[:3] == ["added", "b", "ready"]
    client.patch("a", {"owner": "y"}).expect(200)
    changed = out.readline().split()
    assert changed[:3] == ["changed", "a", "ready"] and "y" in changed
    client.delete("a").expect(204)
    assert out.readline().split()[:3] == ["deleted", "a", "-"]


def test_filters(watch, client):
    out = watch("device", "list", "--watch", "--owner=x", "-o", "json").stdout
    client.create("a", {"class": "net"})
    client.create("b", {"class": "net", "owner": "x"})
    event = json.loads(out.readline())
    assert event == {"event": "added", "key": "b", "object": client.device("b")}
    # It still is there, but no longer one of them.
    client.patch("b", {"owner": "z"}).expect(200)
    assert json.loads(out.readline()) == {"event": "deleted", "key": "b"}


def test_one_device(watch, client):
    client.create("a", {"class": "net"})
    process = watch("device", "show", "a", "-w", "-o", "json")
    assert json.loads(process.stdout.readline()) == client.device("a")
    client.patch("a", {"owner": "y"}).expect(200)
    assert json.loads(process.stdout.readline()) == client.device("a")
    client.delete("a").expect(204)
    rest, error = process.communicate(timeout=DEADLINE)
    assert rest == "" and "device-not-found" in error and process.returncode == NOT_FOUND


def test_yaml(watch, client):
    out = watch("mgmtdev", "show", "sim0", "-w", "-o", "yaml").stdout
    lines = [out.readline()]
    client.create("a", {"class": "net"})
    while "---\n" not in lines[1:]:
        lines.append(out.readline())
    assert yaml.safe_load("".join(lines[:-1]))["budgets"]["devices"]["used"] == 0


def test_mgmtdevs_and_host(watch, client):
    mgmtdevs = watch("mgmtdev", "list", "--watch").stdout
    host = watch("host", "--watch", "-o", "json").stdout
    assert [mgmtdevs.readline().split()[0] for _ in range(2)] == ["EVENT", "added"]
    assert json.loads(host.readline())["devices"]["total"] == 0
    client.create("a", {"class": "net"})
    assert mgmtdevs.readline().split()[:2] == ["changed", "sim0"]
    assert json.loads(host.readline())["devices"]["total"] == 1


def test_the_daemon_comes_back(watch, client, daemon):
    client.create("a", {"class": "net"})
    process = watch("device", "list", "--watch", "-o", "json")
    assert json.loads(process.stdout.readline())["key"] == "a"
    daemon.stop()
    assert "annot connect" in process.stderr.readline()
    daemon.start().create("b", {"class": "net"})
    poll("news of b", lambda: json.loads(process.stdout.readline())["key"] == "b")


def test_a_terminal_is_drawn_anew(ctl, client):
    terminal = Terminal(ctl, "device", "list", "--watch")
    try:
        assert "\033[H" in terminal.read_until("No devices.")
        for i in range(30):
            client.create(f"d{i:02}", {"class": "net"})
        text = terminal.read_until("and 11 more")
        assert "d18" in text.rsplit("\033[H")[-1] and "d19" not in text.rsplit("\033[H")[-1]
        client.delete("d05")
        text = terminal.read_until("and 10 more")
        assert "d05" not in text and "d19" in text
    finally:
        terminal.close()


def test_what_cannot_be_watched(ctl, daemon):
    ctl("device", "list", "--watch", "--limit=1", expect=USAGE)
    ctl("device", "list", "--watch", "--interval=0", expect=USAGE)
    ctl("device", "show", "none", "--watch", expect=NOT_FOUND)
    daemon.stop()
    ctl("device", "list", "--watch", expect=UNREACHABLE)
