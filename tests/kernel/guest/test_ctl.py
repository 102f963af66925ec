# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl against a real host."""

import json
import os
import subprocess
import time

import service
import vdpa
from agreement import agree
from rest import mac

# Of hsvdpactl(1).
REFUSED, UNREACHABLE, NOT_FOUND, PARTIAL = 1, 3, 4, 7


def ctl(*words):
    return subprocess.run(["hsvdpactl", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=vdpa.DEADLINE)


def ctl_json(*words):
    done = ctl("--output=json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_life_of_a_device(api):
    made = ctl("device", "create", "vm42-net0", "--class=net", "--mgmtdev=vdpasim_net", f"--mac={mac(42)}", "--mtu=1400",
               "--endpoint=107:107:0640", "--owner=vm:42")
    assert made.returncode == 0, made.stderr
    devices = agree()
    endpoint = devices["vm42-net0"]["status"]["endpoint"]
    assert "vm42-net0" in made.stdout and endpoint in made.stdout
    assert devices["vm42-net0"]["spec"]["endpoint"] == {"uid": 107, "gid": 107, "mode": "0640"}

    assert ctl_json("device", "show", "vm42-net0") == devices["vm42-net0"]
    assert "vm42-net0" in ctl("device", "list").stdout
    assert mac(42) in ctl("device", "show", "vm42-net0").stdout
    assert "vdpasim_net" in ctl("mgmtdev", "list").stdout
    assert ctl_json("host", "show")["devices"]["ready"] == 1

    fd = os.open(endpoint, os.O_RDWR)
    try:
        refused = ctl("device", "delete", "vm42-net0")
        assert refused.returncode == REFUSED and "in use" in refused.stderr
    finally:
        os.close(fd)
    assert ctl("device", "delete", "vm42-net0").returncode == 0
    agree()
    assert ctl("device", "show", "vm42-net0").returncode == NOT_FOUND


def test_many_at_a_time(api):
    made = ctl("device", "create", "--count=6", "--prefix=vm", "--class=net", "--mgmtdev=vdpasim_net", "--jobs=4")
    assert made.returncode == 0, made.stderr
    devices = agree()
    assert sorted(devices) == [f"vm{i}" for i in range(1, 7)]

    fd = os.open(devices["vm3"]["status"]["endpoint"], os.O_RDWR)
    try:
        some = ctl("device", "delete", *devices)
        assert some.returncode == PARTIAL and "5 deleted, 1 failed" in some.stderr
        patient = subprocess.Popen(["hsvdpactl", "device", "delete", "vm3", "--wait"], stdin=subprocess.DEVNULL)
        time.sleep(1)
        assert patient.poll() is None
    finally:
        os.close(fd)
    assert patient.wait(vdpa.DEADLINE) == 0
    assert agree() == {}


def test_plan(api):
    plan = ctl_json("device", "create", "d", "--class=net", "--mgmtdev=vdpasim_net", "--dry-run")
    assert plan["mgmtdev"] == "vdpasim_net" and agree() == {}


def test_completion(api):
    assert "vdpasim_net" in ctl("__complete", "mgmtdev", "show", "").stdout.split()
    ctl("device", "create", "vm1", "vm2", "--class=net", "--mgmtdev=vdpasim_net")
    assert ctl("__complete", "device", "show", "vm").stdout.split() == ["vm1", "vm2"]


def test_no_daemon(api):
    service.stop()
    assert ctl("device", "list").returncode == UNREACHABLE
    service.start()
