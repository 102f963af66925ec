# SPDX-License-Identifier: LGPL-2.1-or-later
"""The database is lost: an inventory is made of what the kernel has."""

import shutil

import service
import vdpa
from agreement import agree
from rest import mac, net


def test_lost_database(api):
    """The kernel's devices are as before, and the daemon knows them again, with what can be seen of them."""
    endpoint = {"uid": 107, "gid": 107, "mode": "0640"}
    before = {
        "vm1": api.create("vm1", net(1, endpoint=endpoint)),
        "vm2": api.create("vm2", net(2)),
        "host1": api.create("host1", net(3, driver="virtio_vdpa")),
    }
    vdpa.add("other", "vdpasim_net", mac=mac(901))
    shown = vdpa.devices()
    service.stop()
    shutil.rmtree(service.STATE)
    told = vdpa.run(service.PROGRAM, "--rebuild", "--prefix=vm", timeout=2 * vdpa.DEADLINE)
    assert "2 devices are in the inventory, 2 are left as foreign" in told
    assert "other: left" in told and "host1: left" in told
    assert vdpa.devices() == shown
    service.start()
    agree(foreign={"host1", "other"})
    service.stop()

    vdpa.delete("other")
    told = vdpa.run(service.PROGRAM, "--rebuild", "--force", timeout=2 * vdpa.DEADLINE)
    assert "3 devices are in the inventory, 0 are left" in told
    assert vdpa.run(service.PROGRAM, "--fsck", timeout=2 * vdpa.DEADLINE) == ""
    service.start()
    after = agree()
    assert after.keys() == before.keys() == vdpa.devices().keys()
    for name, device in after.items():
        assert device["status"]["state"] == "ready"
        assert device["status"]["endpoint"] == before[name]["status"]["endpoint"]
        assert device["status"]["mgmtdev"] == vdpa.devices()[name]["mgmtdev"]
        assert device["status"]["net"]["mac"] == vdpa.config(name)["mac"]
        assert device["spec"]["net"]["mac"] == before[name]["spec"]["net"]["mac"]
        assert device["spec"]["driver"] == before[name]["spec"]["driver"]
    assert after["vm1"]["spec"]["endpoint"] == endpoint
