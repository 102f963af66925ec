# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl capacity, and the budgets of mgmtdev show."""

import os
import pty
import subprocess

import pytest

from ctl import PROGRAM, Ctl
from support import DEADLINE, net_spec, sim_section

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")

CONFIG = sim_section("pci/0000:01:00.0", transport="pci-pf", max_devices=4, classes="net")


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon(CONFIG)
    daemon.start()
    return daemon


def run_on_terminal(daemon, *arguments):
    """What it prints where there is a terminal."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [PROGRAM, f"--url=unix:{daemon.socket}", *arguments], stdin=subprocess.DEVNULL, stdout=follower,
        stderr=follower, env=environment,
    )
    os.close(follower)
    text = b""
    try:
        while chunk := os.read(leader, 4096):
            text += chunk
    except OSError:
        pass  # what a terminal says when there is nobody at its other end
    finally:
        os.close(leader)
    assert process.wait(DEADLINE) == 0, text
    return text.decode()


def test_numbers(daemon):
    ctl = Ctl(daemon.socket)
    client = daemon.client()
    for i in range(3):
        client.create(f"d{i}", net_spec())
    for words in (["capacity"], ["capacity", "show"], ["mgmtdev", "show", "pci/0000:01:00.0"]):
        lines = [line.strip() for line in ctl(*words).splitlines()]
        assert "Devices      3 of 4 used, 1 free (model, model)" in lines
        assert any(line.startswith("MSI entries ") for line in lines)
    document = ctl.json("capacity")
    assert document["mgmtdevs"] == client.get("/v1/mgmtdevs").json["items"]
    assert document["sriov"] == client.host()["sriov"]


def test_bars_on_a_terminal(daemon):
    daemon.client().create("d", net_spec())
    for words in (["capacity"], ["mgmtdev", "show", "pci/0000:01:00.0"]):
        text = run_on_terminal(daemon, *words)
        assert "Devices      " + 5 * "\u2588" + 15 * "\u2591" + "  1 of 4 used" in text
