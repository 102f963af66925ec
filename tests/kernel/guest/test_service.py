# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon as a service of systemd."""

import os
import pathlib
import signal
import subprocess

import rest
import service
import vdpa
from agreement import agree
from rest import block, net


def run_program(*arguments):
    """Runs the daemon by hand, to the end that is to come by itself; returns its exit status and what it said."""
    done = subprocess.run([service.PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=vdpa.DEADLINE)
    return done.returncode, done.stderr


def test_start_and_stop(api):
    device = api.create("d", net(1))
    service.stop()
    assert service.show("ActiveState") == "inactive" and service.show("Result") == "success"
    assert not pathlib.Path(rest.SOCKET).exists()
    # Nobody takes away from its user what the daemon has made.
    assert vdpa.exists("d")

    service.start()
    # Started is who takes work: with Type=notify that is the daemon's own word.
    assert service.show("Type") == "notify" and service.is_active()
    assert api.is_ready()
    assert agree()["d"] == device


def test_second_daemon_leaves_the_first_alone(api):
    device = api.create("d", net(1))
    first = service.pid()
    status, complaint = run_program()
    assert status == service.EXIT_OTHER_DAEMON and complaint
    assert service.pid() == first
    assert agree()["d"] == device


def test_daemon_that_dies_is_started_again(api):
    device = api.create("d", net(1))
    for end in (signal.SIGKILL, signal.SIGABRT):
        first = service.pid()
        service.forgive()
        os.kill(first, end)
        service.wait_restarted(first)
        assert agree()["d"] == device


def test_what_does_not_get_better_is_not_tried_again(api):
    service.stop()
    service.CONFIG.parent.mkdir(exist_ok=True)
    service.CONFIG.write_text("[daemon]\nno_such_key = 1\n")
    try:
        status, complaint = run_program("--check-config")
        assert status == service.EXIT_CONFIG and f"{service.CONFIG}:2" in complaint
        service.forgive()
        assert subprocess.run(["systemctl", "start", service.UNIT], capture_output=True).returncode
        assert service.show("ExecMainStatus") == str(service.EXIT_CONFIG)
        assert service.show("NRestarts") == "0" and not service.is_active()
    finally:
        service.CONFIG.unlink()
    service.start()
    agree()


def test_damaged_inventory_is_not_touched(api):
    api.create("d", net(1))
    service.stop()
    kept = service.DATABASE.read_bytes()
    damaged = b"This is not a database. " * 1000
    service.DATABASE.write_bytes(damaged)
    service.forgive()
    assert subprocess.run(["systemctl", "start", service.UNIT], capture_output=True).returncode
    assert service.show("ExecMainStatus") == str(service.EXIT_DATABASE)
    assert service.DATABASE.read_bytes() == damaged
    assert vdpa.exists("d")

    service.DATABASE.write_bytes(kept)
    service.start()
    agree()


def test_daemon_that_may_not(api):
    """It says what it lacks, and neither dies nor tries."""
    api.create("d", net(1))
    with service.drop_in("[Service]\nCapabilityBoundingSet=~CAP_NET_ADMIN\nAmbientCapabilities=~CAP_NET_ADMIN\n"):
        service.restart()
        host = api.host()
        assert not host["available"] and "CAP_NET_ADMIN" in host["reason"]
        assert "CAP_NET_ADMIN" in api.get("/readyz").expect(503, "backend-unavailable").detail
        api.delete("d").expect(503, "backend-unavailable")
        assert vdpa.exists("d")
    service.restart()
    agree()


def test_watchdog_sees_a_daemon_that_hangs(api):
    device = api.create("d", block())
    with service.drop_in("[Service]\nWatchdogSec=5\n"):
        service.restart()
        first = service.pid()
        os.kill(first, signal.SIGSTOP)
        service.wait_restarted(first)
    assert agree()["d"] == device
    service.restart()
