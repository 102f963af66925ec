# SPDX-License-Identifier: LGPL-2.1-or-later
"""A kernel that lacks what is needed: said in plain words, and used as soon as it is there."""

import contextlib
import pathlib

import pytest

import service
import vdpa
from agreement import agree
from rest import net

# In an order in which they can be taken out.
MODULES = ["vp_vdpa", "vdpa_sim_net", "vdpa_sim_blk", "vdpa_sim", "vduse", "virtio_vdpa", "vhost_vdpa", "vdpa"]

BLOCKED = pathlib.Path("/run/modprobe.d/test.conf")


@contextlib.contextmanager
def without(*modules):
    """A kernel without these, for the length of a with block; nor can they be had by modprobe(8) there."""
    BLOCKED.parent.mkdir(exist_ok=True)
    BLOCKED.write_text("".join(f"install {module} /bin/false\n" for module in modules))
    vdpa.run("rmmod", *modules)
    try:
        yield
    finally:
        BLOCKED.unlink()
        for module in reversed(modules):
            vdpa.run("modprobe", module)


@pytest.mark.parametrize("driver", ["vhost_vdpa", "virtio_vdpa"])
def test_bus_driver_is_missing(api, driver):
    other = {"vhost_vdpa": "virtio_vdpa", "virtio_vdpa": "vhost_vdpa"}[driver]
    with without(driver):
        api.look()
        assert api.host()["drivers"] == {driver: False, other: True}
        answer = api.put("d", net(1, driver=driver)).expect(503, "backend-unavailable")
        assert f"modprobe {driver}" in answer.detail
        agree()
        api.create("other", net(2, driver=other))
        agree()
        api.delete("other").expect(204)
    api.create("d", net(1, driver=driver))
    agree()


def unusable(api):
    """The daemon is alive and says what is missing and what to do."""
    host = api.host()
    assert not host["available"] and "modprobe vdpa" in host["reason"]
    assert api.get("/healthz").status == 200
    api.get("/readyz").expect(503, "backend-unavailable")
    refusal = api.put("d", net(1)).expect(503, "backend-unavailable")
    assert "modprobe vdpa" in refusal.detail
    return True


def test_service_loads_what_it_needs(api):
    service.stop()
    with without(*MODULES):
        BLOCKED.write_text("")
        service.start()
        host = api.host()
        assert host["available"] and all(host["drivers"].values())
        assert api.is_ready() and api.mgmtdevs() == {}
        assert "no management device" in api.put("d", {"class": "net"}).expect(422, "unsatisfiable").detail
    agree()


def test_daemon_that_starts_without_vdpa(api):
    service.stop()
    with without(*MODULES):
        service.start()
        assert service.is_active() and unusable(api)
        assert "modprobe vdpa" in api.get("/readyz").detail
        first = service.pid()
    # By itself, at its next look.
    vdpa.wait_for(api.is_ready)
    assert service.pid() == first
    # Its sandbox was made before the nodes had a number, so it may not open them: it says so, and keeps the device.
    api.create("d", net(1))
    agree()
    assert "restart" in api.delete("d").expect(502).detail
    service.stop()
    service.start()
    agree()


def test_vdpa_goes_and_comes_again(api):
    with without(*MODULES):
        vdpa.wait_for(lambda: not api.host()["available"])
        assert unusable(api)
        first = service.pid()
    vdpa.wait_for(api.is_ready)
    assert service.pid() == first
    api.create("d", net(1))
    agree()
