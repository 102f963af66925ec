# SPDX-License-Identifier: LGPL-2.1-or-later
"""hsvdpactl device show and list, against canned answers: what a device holds by number."""

import pytest

from conftest import temporary_directory
from ctl import PROGRAM, Ctl, table
from fake import FakeServer

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")

DEVICE = {
    "name": "d", "revision": 5, "spec": {"class": "net"},
    "status": {
        "state": "ready", "mgmtdev": "sim0", "endpoint": "/dev/vhost-vdpa-7", "in_use": True,
        "holders": [{"kind": "process", "pid": 812, "comm": "qemu", "fd": 12}, {"kind": "mount", "name": "/mnt"}],
        "max_vqs": 3,
        "asids": [{"group": 0, "asid": 17, "kind": "pasid"}, {"group": 1, "asid": 18, "kind": "pasid"}],
        "msis": [{"vq": 0, "entry": 40}, {"vq": 1, "entry": 41}, {"vq": 2, "entry": 50}, {"config": True, "entry": 51}],
    },
}


@pytest.fixture
def ctl():
    answers = {
        "GET /v1/devices/d?in_use=true": (200, DEVICE),
        "GET /v1/devices?limit=1000": (200, {"items": [DEVICE], "revision": 5}),
    }
    with temporary_directory() as directory, FakeServer(directory / "s", answers):
        yield Ctl(directory / "s")


def test_show(ctl):
    lines = dict(line.split(":", 1) for line in ctl("device", "show", "d").splitlines())
    lines = {label.strip(): value.strip() for label, value in lines.items()}
    assert lines["ASIDs"] == "group 0-1: 17-18 (pasid)"
    assert lines["MSI entries"] == "vq 0-1: 40-41, vq 2: 50, config: 51"
    assert lines["in use"] == "yes"
    assert lines["holders"] == "process 812 (qemu), mount /mnt"


def test_list(ctl):
    (row,) = table(ctl("device", "list", "-o", "wide"))
    assert (row["ASIDS"], row["MSIS"]) == ("17,18", "40,41,50,51")
