# SPDX-License-Identifier: LGPL-2.1-or-later
"""The vDPA bus for the daemon alone: the kernel binds nothing by itself meanwhile, and does so again afterwards."""

import pathlib

import pytest

import service
import vdpa
from agreement import agree
from rest import block, net

AUTOPROBE = pathlib.Path("/sys/bus/vdpa/drivers_autoprobe")


def is_autoprobed():
    return AUTOPROBE.read_text().strip() == "1"


@pytest.fixture
def exclusive(api):
    assert is_autoprobed()
    service.CONFIG.write_text("[kernel]\nexclusive = yes\n")
    service.restart()
    yield api
    service.CONFIG.unlink(missing_ok=True)
    service.restart()
    assert is_autoprobed()


def test_devices(exclusive):
    """By the service in its sandbox."""
    assert not is_autoprobed() and not exclusive.host()["autoprobe"]
    for n, driver in enumerate(("vhost_vdpa", "virtio_vdpa")):
        exclusive.create(f"net{n}", net(n, driver=driver))
        exclusive.create(f"disk{n}", block(driver=driver))
    vdpa.add("foreign", "vdpasim_net")
    assert vdpa.driver("foreign") is None
    agree(foreign={"foreign"})
    vdpa.delete("foreign")


def test_others_turn_it_on(exclusive):
    AUTOPROBE.write_text("1")
    exclusive.create("d", net(1, driver="virtio_vdpa"))
    vdpa.wait_for(lambda: exclusive.look() or not is_autoprobed())
    agree()


def test_it_is_turned_on_again(exclusive):
    before = service.pid()
    service.kill()
    service.wait_restarted(before)
    assert not is_autoprobed()
    service.stop()
    assert is_autoprobed()
    service.start()
    assert not is_autoprobed()
