# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody else's command hangs in the kernel, and with it every vDPA command of the host."""

import contextlib
import re
import subprocess

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


def not_ready(api):
    return api.get("/readyz").expect(503, "backend-unavailable").detail


def test_watchdog_acts(api):
    """The daemon is replaced, though the kernel does not let go of it; the next one answers, is left alone, and goes
    on when the kernel does."""
    api.create("d", net(1))
    service.CONFIG.parent.mkdir(exist_ok=True)
    service.CONFIG.write_text(CONFIG)
    try:
        service.systemctl("reload", service.UNIT)
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
    finally:
        service.CONFIG.unlink()
    service.restart()
