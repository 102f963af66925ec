# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon as a service of systemd."""

import contextlib
import os
import pathlib
import shutil
import signal

import rest
import vdpa

UNIT = "hsvdpad.service"
SOCKET_UNIT = "hsvdpad.socket"
PROGRAM = "/usr/sbin/hsvdpad"
STATE = pathlib.Path("/var/lib/hsvdpa")
DATABASE = STATE / "inventory.db"
PROCESSES = pathlib.Path(f"/sys/fs/cgroup/system.slice/{UNIT}/cgroup.procs")
CONFIG = pathlib.Path("/etc/hsvdpa/hsvdpad.conf")

# Of manager.h.
EXIT_USAGE = 64
EXIT_DATABASE = 65
EXIT_OTHER_DAEMON = 75
EXIT_CONFIG = 78


def systemctl(*words):
    return vdpa.run("systemctl", *words, timeout=2 * vdpa.DEADLINE)


def show(name):
    """A property of the unit."""
    return systemctl("show", "--property", name, "--value", UNIT).strip()


def is_active():
    return show("ActiveState") == "active"


def is_ready():
    """Whether there is a daemon that takes work."""
    return rest.Api(rest.Connection().ask).is_ready()


def pid():
    """Of the daemon; 0 while there is none."""
    return int(show("MainPID"))


def forgive():
    """Makes systemd forget how often the unit was started of late, and how it ended."""
    # It fails where there is nothing to forget.
    with contextlib.suppress(RuntimeError):
        systemctl("reset-failed", UNIT)


def start():
    """Returns when systemd says that it is up."""
    forgive()
    systemctl("start", UNIT)


def stop():
    """Of the socket too: else the next client would start the daemon again."""
    systemctl("stop", SOCKET_UNIT, UNIT)


def restart():
    stop()
    start()


def kill():
    """kill -9. systemd starts another one by itself."""
    forgive()
    os.kill(pid(), signal.SIGKILL)


def signal_all(number):
    """Sends a signal to whatever runs in the unit, without asking systemd; returns to how many processes."""
    try:
        pids = [int(word) for word in PROCESSES.read_text().split()]
    except FileNotFoundError:
        return 0
    for each in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, number)
    return len(pids)


def wait_restarted(before):
    """Waits for the daemon that systemd starts in place of the one with the pid before."""
    vdpa.wait_for(lambda: pid() not in (0, before) and is_ready())


def wipe():
    """As before the first start: no daemon, no inventory, no device of anybody's."""
    with contextlib.suppress(RuntimeError):
        stop()
    shutil.rmtree(STATE, ignore_errors=True)
    CONFIG.unlink(missing_ok=True)
    for name in vdpa.devices():
        vdpa.delete(name)


@contextlib.contextmanager
def drop_in(text, unit=UNIT):
    """A drop-in for the unit, for the length of a with block."""
    path = pathlib.Path(f"/run/systemd/system/{unit}.d/test.conf")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    systemctl("daemon-reload")
    try:
        yield
    finally:
        path.unlink()
        systemctl("daemon-reload")


def journal(cursor=None):
    """What the daemon has said, since the cursor."""
    since = ["--after-cursor", cursor] if cursor else ["--boot"]
    return vdpa.run("journalctl", "--no-pager", "--output=short-precise", "--unit", UNIT, *since)


def journal_cursor():
    """Where the journal ends now."""
    return vdpa.run("journalctl", "--lines=1", "--output=cat", "--show-cursor").splitlines()[-1].removeprefix("-- cursor: ")
