# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl pool, as an operator has it."""

import json

import pytest

from ctl import NOT_FOUND, REFUSED, USAGE, Ctl


@pytest.fixture
def ctl(daemon, client):
    return Ctl(daemon.socket)


def rows(text):
    head, *lines = text.splitlines()
    return [dict(zip(head.split(), line.split())) for line in lines]


def test_from_set_to_delete(ctl, client):
    assert ctl("pool", "set", "web", "--class=net", "--mtu=1400", "--high=4", "--low=1") == "web: created\n"
    client.wait_for_pool("web", 4)
    row, = rows(ctl("pool", "list"))
    assert (row["NAME"], row["CLASS"], row["FREE"], row["LOW"], row["HIGH"]) == ("web", "net", "4", "1", "4")
    line = ctl("pool", "claim", "web", "--owner=vm:1", "--mac=02:00:00:00:00:2a", "--label=a=b", "--lease=600",
               "--endpoint=107:108:0660", "--drift=enforce")
    name = line.partition(":")[0]
    assert line.startswith(f"{name}: claimed; ready on sim0, /dev/vhost-vdpa-")
    spec = client.device(name)["spec"]
    assert (spec["owner"], spec["net"]["mac"], spec["labels"], spec["lease_seconds"], spec["drift"]) == (
        "vm:1", "02:00:00:00:00:2a", {"a": "b"}, 600, "enforce")
    assert spec["endpoint"] == {"uid": 107, "gid": 108, "mode": "0660"}
    uid = client.device(name)["uid"]
    ctl("pool", "return", "web", name, "--uid=00000000-0000-7000-8000-000000000000", expect=REFUSED)
    assert ctl("pool", "return", "web", name, f"--uid={uid}") == f"{name}: returned\n"
    assert client.device(name)["uid"] != uid
    shown = ctl("pool", "show", "web")
    assert "Claims:              1" in shown and "Sets MAC addresses:  yes" in shown
    assert ctl("pool", "delete", "web") == "web: deleted\n"
    ctl("pool", "show", "web", expect=NOT_FOUND)


def test_marks_alone(ctl, client):
    """What the devices are need not be said again."""
    ctl("pool", "set", "web", "--class=net", "--high=2")
    assert ctl("pool", "set", "web", "--high=6", "--on-return=destroy") == "web: set\n"
    spec = client.pool("web")["spec"]
    assert (spec["low"], spec["high"], spec["on_return"]) == (1, 6, "destroy")
    assert "already-exists" in ctl("pool", "set", "web", "--class=block", "--high=6", expect=REFUSED)
    ctl("pool", "set", "none", "--high=6", expect=NOT_FOUND)


def test_json(ctl, client):
    assert json.loads(ctl("-o", "json", "pool", "set", "web", "--class=net", "--high=2"))["name"] == "web"
    client.wait_for_pool("web", 2)
    assert json.loads(ctl("-o", "json", "pool", "list"))["items"][0]["status"]["free"] == 2
    claimed = json.loads(ctl("-o", "json", "pool", "claim", "web"))
    assert claimed["uid"] == client.device(claimed["name"])["uid"]


@pytest.mark.parametrize("arguments", [
    ["set", "web", "--class=net", "--high=x"], ["set"], ["claim"], ["return", "web"], ["claim", "web", "--mtu=1400"],
    ["set", "web", "--class=net", "--high=1", "--owner=a"], ["drain", "web"]])
def test_wrong(ctl, arguments):
    ctl("pool", *arguments, expect=USAGE)
