# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody else's command hangs in the kernel, and with it every vDPA command of the host."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess

import rest
import service
import vdpa
import vhost
from agreement import agree
from rest import net

CONFIG = "[daemon]\nworker_timeout_sec = 3\n"


@contextlib.contextmanager
def hanging_kernel():
    """A device of ours is open, and somebody deletes it with a tool that does not look."""
    vdpa.add("foreign", "vdpasim_net")
    with vhost.opened(vdpa.vhost_node("foreign")):
        deletion = subprocess.Popen(["vdpa", "dev", "del", "foreign"])
        try:
            yield
        except BaseException:
            print(service.journal())
            raise
    assert deletion.wait(vdpa.DEADLINE) == 0


@contextlib.contextmanager
def configured():
    service.CONFIG.parent.mkdir(exist_ok=True)
    service.CONFIG.write_text(CONFIG)
    try:
        yield
    finally:
        service.CONFIG.unlink()
    service.restart()


def threads_in(pid, state):
    """How many threads of the process are in that state of proc(5)."""
    n = 0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            n += path.read_text().rpartition(")")[2].split()[0] == state
    return n


def test_daemon_says_what_hangs(api):
    """Which command is not answered, since when; reads go on, and changes are refused."""
    api.create("d", net(1))
    with hanging_kernel():
        stuck = vdpa.wait_for(lambda: api.host()["stuck"], 2 * vdpa.DEADLINE)
        assert stuck["command"].startswith("VDPA_CMD_") and stuck["seconds"] >= 10
        assert "kernel does not answer" in not_ready(api) and stuck["command"] in not_ready(api)
        assert api.device("d")["status"]["state"] == "ready"
        assert api.get("/v1/devices/d?in_use=true").expect(200).json["status"]["in_use"] is False
        answer = api.put("e", net(2)).expect(503, "backend-unavailable")
        assert "Retry-After" in answer.headers and "kernel does not answer" in answer.detail
        api.delete("d").expect(503, "backend-unavailable")
        vdpa.wait_for(lambda: "kernel does not answer" in service.show("StatusText"))
        assert "kernel does not answer" in service.journal()
    vdpa.wait_for(api.is_ready)
    assert api.host()["stuck"] is None
    vdpa.wait_for(lambda: "kernel answers again" in service.journal())
    agree()


def not_ready(api):
    return api.get("/readyz").expect(503, "backend-unavailable").detail


def test_watchdog_acts(api):
    """The daemon is replaced, though the kernel does not let go of it; the next one answers, is left alone, and goes
    on when the kernel does."""
    api.create("d", net(1))
    with configured():
        service.systemctl("reload", service.UNIT)
        service.forgive()
        first, cursor = service.pid(), service.journal_cursor()
        with hanging_kernel():
            # The periodic look gets stuck; from then on it takes 3 s, and what systemd waits for a process that
            # cannot be killed.
            vdpa.wait_for(lambda: "ending without it" in service.journal(cursor))
            vdpa.wait_for(lambda: service.pid() not in (0, first) and service.is_active(), 3 * vdpa.DEADLINE)
            second = service.pid()
            assert "kernel does not answer" in not_ready(api)
            assert list(api.devices()) == ["d"]
            assert "kernel does not answer" in api.put("e", net(2)).expect(503, "backend-unavailable").detail
            assert "kernel does not answer" in service.show("StatusText")
            # Longer than it may hang.
            vdpa.run("sleep", "8")
            assert service.pid() == second and service.is_active()
        vdpa.wait_for(api.is_ready)
        assert service.pid() == second and service.show("NRestarts") == "1"
        assert re.match("Ready: 1 device on ", vdpa.wait_for(
            lambda: service.show("StatusText").startswith("Ready") and service.show("StatusText")))
        api.create("e", net(2))
        agree()


def test_killed_while_the_kernel_hangs(api):
    """What is left of the daemon keeps the inventory until the kernel lets go: the next ones say so, one a second, and
    never are there two; a client at the socket waits, and is served in the end."""
    device = api.create("d", net(1))
    with configured():
        # Else the watchdog would end it in good order.
        service.CONFIG.write_text("[daemon]\nworker_timeout_sec = 600\n")
        service.systemctl("reload", service.UNIT)
        service.forgive()
        first, cursor = service.pid(), service.journal_cursor()
        with hanging_kernel():
            vdpa.wait_for(lambda: threads_in(first, "D"))
            os.kill(first, signal.SIGKILL)
            vdpa.wait_for(lambda: f"process {first}, which has ended but for a call" in service.journal(cursor),
                          3 * vdpa.DEADLINE)
            assert int(service.show("NRestarts")) >= 1
            assert service.show("ActiveState") in ("activating", "deactivating", "failed")
            assert threads_in(first, "D") == 1
            waiting = subprocess.Popen(["curl", "--silent", "--max-time", "180", "--unix-socket", rest.SOCKET,
                                        "http://localhost/v1/devices/d"], stdout=subprocess.PIPE, text=True)
            vdpa.wait_for(lambda: service.show("StatusText").startswith("Another hsvdpad is using"))
            assert waiting.poll() is None
        assert device["uid"] in waiting.communicate(timeout=3 * vdpa.DEADLINE)[0]
        vdpa.wait_for(service.is_ready)
        assert not pathlib.Path(f"/proc/{first}").exists()
        assert agree()["d"]["uid"] == device["uid"]
