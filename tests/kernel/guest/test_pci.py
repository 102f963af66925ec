# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices of a PCI management device: a virtio card, given to vp-vdpa while the daemon runs."""

import pytest

import vdpa
import vhost
from agreement import agree
from rest import net


@pytest.fixture
def handle(api, card):
    """The card's handle. The daemon was there first, and has not been told."""
    yield vdpa.bind_pci_nic(card)
    for name in api.devices():
        api.delete(name).expect(204)


@pytest.mark.parametrize("driver", ["vhost_vdpa", "virtio_vdpa"])
def test_device_of_a_card_that_came_late(api, handle, driver):
    device = api.create("d", net(mgmtdev=handle, driver=driver))
    agree()
    assert device["status"]["mgmtdev"] == handle
    assert device["status"]["net"]["mac"].startswith("52:54:00:76:64:")
    assert api.mgmtdevs()[handle]["transport"] == "pci-pf"
    if driver == "vhost_vdpa":
        with vhost.opened(device["status"]["endpoint"]) as fd:
            assert vhost.ask(fd, vhost.GET_DEVICE_ID) == 1
    api.delete("d").expect(204)
    agree()


def test_card_has_room_for_one(api, handle):
    """The kernel would let a second one in, and be damaged by it."""
    api.create("first", net(mgmtdev=handle))
    assert api.mgmtdevs()[handle]["budgets"]["devices"]["free"] == 0
    answer = api.put("second", net(mgmtdev=handle)).expect(409, "no-capacity")
    assert set(answer.pointers()) == {"/spec/mgmtdev"}
    agree()
    api.delete("first").expect(204)
    api.create("second", net(mgmtdev=handle))
    agree()


@pytest.mark.parametrize("spec, member", [({"mtu": 1400}, "mtu"), ({"number": 1}, "mac")])
def test_attribute_that_the_driver_does_not_take(api, handle, spec, member):
    """That is known beforehand, and the kernel need not be asked."""
    answer = api.put("d", net(mgmtdev=handle, **spec)).expect(422, "unsatisfiable", "/spec/net")
    assert f"does not take {member}" in answer.detail
    agree()


def test_mac_address_that_the_driver_does_not_set(api, handle):
    device = api.create("d", net(mgmtdev=handle))
    detail = api.patch("d", {"net": {"mac": "02:00:00:00:00:01"}}).expect(422, "not-supported").detail
    assert "Operation not supported" in detail or "does not set MAC addresses" in detail
    after = agree()["d"]
    assert (after["spec"], after["status"]) == (device["spec"], device["status"])


def test_card_that_goes_and_comes_again(api, handle, card):
    before = api.create("d", net(mgmtdev=handle))
    vdpa.bind_pci_nic(card, "virtio-pci")
    api.look()
    vdpa.wait_for(lambda: api.state("d") == "lost")
    agree(lost={"d"}, absent={handle})

    # Not even a restart makes it forget.
    api.put("d", net(mgmtdev=handle)).expect(422, "unsatisfiable", "/spec/mgmtdev")
    vdpa.bind_pci_nic(card)
    vdpa.wait_for(lambda: api.look() or api.state("d") == "ready")
    after = agree()["d"]
    assert (after["uid"], after["spec"]) == (before["uid"], before["spec"])


def test_device_of_a_card_that_is_gone_can_be_deleted(api, handle, card):
    api.create("d", net(mgmtdev=handle))
    vdpa.bind_pci_nic(card, "virtio-pci")
    api.delete("d").expect(204)
    vdpa.wait_for(lambda: api.look() or handle not in api.mgmtdevs())
    agree()
