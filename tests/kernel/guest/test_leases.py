# SPDX-License-Identifier: LGPL-2.1-or-later
"""Leases of devices of the real kernel: who does not renew loses the device, unless somebody uses it."""

import json
import time

import service
import vdpa
import vhost
from agreement import agree
from rest import net

# The grace of a daemon that is not configured, and what a slow machine takes.
PATIENCE = 300.0


def leased(number, seconds):
    return {**net(number), "lease_seconds": seconds}


def renew(api, name, seconds):
    body = json.dumps({"lease_seconds": seconds})
    return api.ask("POST", f"/v1/devices/{name}:renew", body).expect(200).json


def wait(what, function):
    end = time.monotonic() + PATIENCE
    while not (found := function()):
        assert time.monotonic() < end, what
        time.sleep(1)
    return found


def refused(device):
    """The device, between one try to delete it and the next."""
    return device if device["status"]["lease"]["attempts"] > 0 and device["status"]["state"] == "ready" else None


def test_leases(api):
    """One is renewed, one is in use, one is forgotten."""
    api.create("renewed", leased(1, 1))
    used = api.create("used", leased(2, 1))
    api.create("forgotten", leased(3, 1))
    assert renew(api, "renewed", 3600)["status"]["lease"]["remaining_seconds"] > 3000
    with vhost.opened(used["status"]["endpoint"]):
        wait("end of a lease", lambda: "forgotten" not in api.devices())
        assert "forgotten" not in vdpa.devices()
        now = wait("refused deletion", lambda: refused(api.device("used")))
        assert now["status"]["endpoint"] == used["status"]["endpoint"]
        assert now["status"]["lease"]["reason"]["code"] == "in-use"
        vdpa.run("vdpa", "dev", "show", timeout=60)
    wait("end of a lease", lambda: "used" not in api.devices())
    assert list(api.devices()) == ["renewed"]
    service.restart()
    assert api.device("renewed")["status"]["lease"]["remaining_seconds"] > 2000
    agree()
