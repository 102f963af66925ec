# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests know of their surroundings: the programs, the tree, and how patient to be.

HSVDPAD, HSVDPACTL, HSVDPAD_CRASH  the programs; else those in the current directory, or at the top of the tree
HSVDPA_WRAPPER         a command that the daemon is run by, such as "valgrind --error-exitcode=99"
HSVDPA_SLOW            1: the machine, or the wrapper, is slow: longer deadlines, shorter loops
HSVDPA_TEST_LONG       1: the long variants, for those who have hours (contrib/run-tests --long)
HSVDPA_CRASH_ROUNDS    how often the daemon is killed in the middle of its work
"""

import os
import shlex
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]

WRAPPER = shlex.split(os.environ.get("HSVDPA_WRAPPER", ""))
SLOW = os.environ.get("HSVDPA_SLOW", "") not in ("", "0")
LONG = os.environ.get("HSVDPA_TEST_LONG", "") not in ("", "0")
CRASH_ROUNDS = int(os.environ.get("HSVDPA_CRASH_ROUNDS", "2" if SLOW else "10"))

# Seconds after which something will not happen any more. Only a failure waits so long.
DEADLINE = 300.0 if SLOW else 30.0


def find_program(variable, name):
    """The path of a program, or None if it is not there."""
    if variable in os.environ:
        return Path(os.environ[variable]).absolute()
    for directory in (Path.cwd(), TREE):
        if os.access(directory / name, os.X_OK):
            return directory / name
    return None


def scaled(number):
    """A number of repetitions: fewer where each takes long."""
    return max(2, number // 8) if SLOW else number


def patient(number):
    """A time that the daemon is made to take: longer where what happens meanwhile takes long."""
    return 10 * number if SLOW else number


def poll(what, function, seconds=DEADLINE):
    """Calls function until what it returns is true, and returns that."""
    end = time.monotonic() + seconds
    pause = 0.001
    while True:
        value = function()
        if value:
            return value
        assert time.monotonic() < end, f"after {seconds} s: no {what}"
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


def net_spec(mac=None, mtu=None, max_vqp=None, **others):
    """The spec of a net device; what is None is left out."""
    net = {"mac": mac, "mtu": mtu, "max_vqp": max_vqp}
    net = {key: value for key, value in net.items() if value is not None}
    return {"class": "net", **({"net": net} if net else {}), **others}


def sim_section(handle, **keys):
    """A section of the configuration: one simulated management device."""
    return "\n".join([f"[sim {handle}]", *(f"{key} = {value}" for key, value in keys.items()), ""])
