# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices that are deleted, or made again, behind the daemon's back."""

import pytest

import crowd
import service
import vdpa
from agreement import agree
from rest import block, net

ENDPOINT = {"uid": 107, "gid": 107, "mode": "0640"}


@pytest.fixture(params=["vhost_vdpa", "virtio_vdpa"])
def spec(request):
    return net(1, driver=request.param, endpoint=ENDPOINT)


def lose(api, name):
    """Takes a device away, and has the daemon look."""
    vdpa.delete(name)
    api.look()
    vdpa.wait_for(lambda: api.state(name) == "lost")
    agree(lost={name})


def test_device_that_is_deleted_behind_our_back(api):
    """Seen without being told to look."""
    api.create("d", net(1))
    other = api.create("other", net(2))
    vdpa.delete("d")
    vdpa.wait_for(lambda: api.state("d") == "lost")
    status = api.device("d")["status"]
    assert status["reason"]["code"] == "device-not-found" and status["reason"]["detail"]
    assert agree(lost={"d"})["other"] == other

    api.patch("d", {"owner": "someone"}).expect(409, "not-ready")
    service.restart()
    assert agree(lost={"d"})["other"] == other
    api.delete("d").expect(204)
    agree()


def test_start_over_very_many(api):
    """More than the daemon asks the kernel about one by one: then it has looked at all of them at once."""
    calls = [("put", f"d{n:03}", block() if n % 10 == 3 else net(n, mtu=1400)) for n in range(150)]
    assert set(crowd.run(calls).values()) == {201}
    before = agree()
    service.stop()
    vdpa.delete("d010")
    vdpa.add("foreign", "vdpasim_net")
    service.start()
    vdpa.wait_for(lambda: service.is_ready() and api.state("d010") == "lost")
    after = agree(lost={"d010"}, foreign={"foreign"})
    del before["d010"], after["d010"]
    assert after == before
    vdpa.delete("foreign")


def test_management_device_that_goes_and_comes(api):
    """Its devices go with it, and come again with it, just as they were."""
    before = {name: api.create(name, net(n, persistent=n == 1)) for n, name in enumerate(("a", "b"), 1)}
    other = api.create("other", block())
    vdpa.run("rmmod", "vdpa_sim_net")
    try:
        vdpa.wait_for(lambda: all(api.state(name) == "lost" for name in before))
        reason = api.device("a")["status"]["reason"]
        assert reason["code"] == "mgmtdev-not-found" and "vdpasim_net" in reason["detail"]
        assert agree(lost=set(before), absent={"vdpasim_net"})["other"] == other
        service.restart()
        agree(lost=set(before), absent={"vdpasim_net"})
    finally:
        vdpa.run("modprobe", "vdpa_sim_net")
    vdpa.wait_for(lambda: all(api.state(name) == "ready" for name in before))
    after = agree()
    for name, device in before.items():
        assert (after[name]["uid"], after[name]["spec"]) == (device["uid"], device["spec"])
        assert after[name]["status"]["asids"] == device["status"]["asids"]


def test_put_makes_a_lost_device_again(api, spec):
    before = api.create("d", spec)
    lose(api, "d")
    api.put("d", block()).expect(409, "already-exists")
    after = api.create("d", spec)
    assert (after["uid"], after["spec"]) == (before["uid"], before["spec"])
    assert agree()["d"] == after


def test_lost_device_that_is_made_again_by_hand(api, spec):
    """It counts as ours, and so has to become what was asked for: address, driver, owner of the node."""
    before = api.create("d", spec)
    lose(api, "d")
    vdpa.add("d", "vdpasim_net")
    api.look()
    vdpa.wait_for(lambda: api.state("d") == "ready")
    after = agree(adopted={"d"})["d"]
    assert (after["uid"], after["spec"]) == (before["uid"], before["spec"])


def test_device_that_is_made_again_by_hand_elsewhere(api, spec):
    """On another management device it is not ours."""
    api.create("d", spec)
    lose(api, "d")
    with vdpa.device("d", "vdpasim_blk"):
        api.look()
        api.wait_idle()
        assert api.state("d") == "lost"
        assert api.mgmtdevs()["vdpasim_blk"]["foreign_devices"] == 1
        api.put("d", spec).expect(409, "foreign-device")
        service.restart()
        assert api.state("d") in ("lost", "failed")
        api.delete("d").expect(204)
        assert vdpa.devices()["d"]["mgmtdev"] == "vdpasim_blk"
        agree(foreign={"d"})
    agree()


def test_device_that_is_made_again_while_the_daemon_is_down(api, spec):
    api.create("d", spec)
    service.stop()
    vdpa.delete("d")
    vdpa.add("d", "vdpasim_net")
    service.start()
    agree(adopted={"d"})


def test_delete_of_a_device_that_is_gone_already(api, spec):
    api.create("d", spec)
    vdpa.delete("d")
    api.delete("d").expect(204)
    agree()
