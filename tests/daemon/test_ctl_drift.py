# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl drift, and device adopt."""

import json

import pytest

from ctl import NOT_FOUND, OK, PARTIAL, PROGRAM, REFUSED, USAGE, Ctl
from outside import Outside

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")

MAC = "02:00:00:00:00:01"
NET = {"class": "net", "net": {"mac": MAC}}


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def outside(daemon, client):
    """Others, who have made one device and changed two of ours."""
    for name in ("gone", "other", "right"):
        client.create(name, NET)
    with Outside(daemon) as outside:
        outside.ask("add", "foreign", "sim0", json.dumps({"class": "net"}))
        outside.ask("bind", "foreign", "vhost_vdpa")
        outside.ask("del", "gone")
        outside.ask("mac", "other", "02:00:00:00:00:99")
        client.drift(refresh="true")
        yield outside


def kinds(ctl, *arguments):
    return {item["name"]: item["kind"] for item in json.loads(ctl("drift", "list", *arguments, "-o", "json"))["items"]}


def test_list(ctl, client, outside):
    assert kinds(ctl, "--refresh") == {"gone": "missing", "other": "changed", "foreign": "foreign"}
    assert kinds(ctl, "--kind=missing", "--kind=foreign") == {"gone": "missing", "foreign": "foreign"}
    assert kinds(ctl, "--mgmtdev=sim1") == {}
    assert len(kinds(ctl, "--limit=1")) == 1
    assert json.loads(ctl("drift", "list", "-o", "json"))["items"] == client.drift()
    rows = {line.split()[0]: line.split() for line in ctl("drift", "list").splitlines()}
    assert list(rows) == ["NAME", "foreign", "gone", "other"]
    assert rows["other"][1:6] == ["changed", "sim0", f"mac={MAC}", "mac=02:00:00:00:00:99", "set-mac"]


def test_a_terminal_is_told_that_there_is_none(ctl, client):
    text, code = ctl.on_terminal("drift", "list")
    assert (text.strip(), code) == ("All is as it should be.", OK)
    text, code = ctl.on_terminal("drift", "repair", "--all")
    assert (text.strip(), code) == ("There is nothing to repair.", OK)


def test_repair(ctl, client, outside):
    assert ctl("drift", "repair", "--all", "--dry-run").splitlines() == [
        "gone: was missing; would be repaired (create)",
        "other: was changed; would be repaired (set-mac)",
    ]
    assert ctl("drift", "repair", "--kind=missing") == "gone: was missing; repaired (create)\n"
    assert kinds(ctl, "--refresh") == {"other": "changed", "foreign": "foreign"}
    answer = json.loads(ctl("drift", "repair", "other", "right", "-o", "json"))
    assert [(r["name"], r["kind"], r["status"]) for r in answer["results"]] == [
        ("other", "changed", 200),
        ("right", None, 200),
    ]
    assert client.device("other")["status"]["net"]["mac"] == MAC
    assert ctl("drift", "repair", "right") == "right: is as it should be\n"
    assert ctl("drift", "repair", "--all") == ""


def test_repair_of_some(ctl, client, outside):
    result = ctl.run("drift", "repair", "gone", "nosuch")
    assert result.returncode == PARTIAL
    assert result.stdout.startswith("gone: was missing; repaired")
    assert "device nosuch" in result.stderr and "device-not-found" in result.stderr
    complaint = ctl("drift", "repair", "foreign", expect=REFUSED)
    assert "foreign-device" in complaint


@pytest.mark.parametrize(
    "arguments", [[], ["--all", "d"], ["--all", "--kind=extra"], ["--kind=foreign"], ["--kind=none"], ["a\udcff"]]
)
def test_what_to_repair_has_to_be_said(ctl, client, arguments):
    ctl("drift", "repair", *arguments, expect=USAGE)


def test_wrong_kind(ctl, client):
    assert "/query/kind" in ctl("drift", "list", "--kind=none", expect=REFUSED)


def test_adopt(ctl, client, outside):
    complaint = ctl("device", "adopt", "foreign", "--class=block", expect=REFUSED)
    assert "mismatch" in complaint and "class" in complaint
    ctl("device", "adopt", "nosuch", expect=NOT_FOUND)
    line = ctl("device", "adopt", "foreign", "--class=net", "--owner=vm:1", "--label=a=b", "--drift=enforce", "--no-persistent")
    assert line.startswith("foreign: adopted; ready on sim0, /dev/")
    spec = client.device("foreign")["spec"]
    assert (spec["owner"], spec["labels"], spec["drift"], spec["persistent"]) == ("vm:1", {"a": "b"}, "enforce", False)
    assert "foreign" not in kinds(ctl, "--refresh")
    assert "already-exists" in ctl("device", "adopt", "foreign", expect=REFUSED)


def test_mode_of_a_device(ctl, client):
    ctl("device", "create", "d", "--class=net", "--drift=enforce")
    assert client.device("d")["spec"]["drift"] == "enforce"
    ctl("device", "set", "d", "--drift=observe")
    assert client.device("d")["spec"]["drift"] == "observe"
    assert "/spec/drift" in ctl("device", "set", "d", "--drift=never", expect=REFUSED)
