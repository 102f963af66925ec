# SPDX-License-Identifier: LGPL-2.1-or-later
"""What management devices have how much of, where that comes from, and where new devices go."""

import json
import pathlib
import re
import signal
import subprocess

import pytest

import service
import vdpa
import vhost
from agreement import agree
from rest import Api, Connection, block, net

# As many requests as make what they cause stand out from what the daemon does by itself.
MANY = 30


@pytest.fixture
def handle(api, card):
    """The card's handle, as a management device that the daemon knows."""
    handle = vdpa.bind_pci_nic(card)
    api.look()
    yield handle
    for name in api.devices():
        api.delete(name).expect(204)


@pytest.fixture
def configured(request):
    """A daemon that was started with a configuration."""

    def start(text):
        service.stop()
        service.CONFIG.parent.mkdir(exist_ok=True)
        service.CONFIG.write_text(text)
        service.start()

    yield start
    service.stop()
    service.CONFIG.unlink(missing_ok=True)
    service.start()


def lspci(address):
    """What lspci(8) says of a function: the size of its MSI-X table, and the width of its PASIDs or None."""
    text = vdpa.run("lspci", "-D", "-s", address, "-vv")
    msix = re.search(r"MSI-X: Enable. Count=(\d+)", text)
    pasid = re.search(r"Max PASID Width: ([0-9a-f]+)", text)
    return int(msix[1]) if msix else None, int(pasid[1], 16) if pasid else None


@pytest.fixture
def whole_config_space():
    """The service as docs/operation.md has it for those who want to know MSI-X entries and PASIDs of functions."""
    with service.drop_in("[Service]\nAmbientCapabilities=CAP_SYS_ADMIN\nCapabilityBoundingSet=CAP_SYS_ADMIN\n"):
        service.restart()
        yield
    service.restart()


def test_what_the_kernel_does_not_show_is_not_known(api, handle):
    budgets = api.mgmtdevs()[handle]["budgets"]
    assert budgets["msis"]["total"] is None and budgets["asids"]["total"] is None


def test_card_has_what_lspci_shows(api, whole_config_space, handle, card):
    n_entries, pasid_width = lspci(card)
    assert n_entries == 10, "the machine gives its cards so many"
    mgmtdev = api.mgmtdevs()[handle]
    budgets = mgmtdev["budgets"]

    assert (mgmtdev["pci_function"], mgmtdev["sriov"]) == (card, None)
    assert budgets["msis"]["total"] == budgets["msis"]["free"] == n_entries
    assert (budgets["msis"]["source"], budgets["msis"]["enforced_by"]) == ("pci", "ledger")
    assert mgmtdev["asid_kind"] == ("pasid" if pasid_width else "device-mmu")
    assert budgets["asids"]["total"] == (1 << pasid_width if pasid_width else None)
    assert budgets["vqs"]["total"] == mgmtdev["max_vqs"]
    assert (budgets["vqs"]["source"], budgets["vqs"]["enforced_by"]) == ("driver", "kernel")

    device = api.create("d", net(mgmtdev=handle))
    n_vqs = device["status"]["max_vqs"]
    after = api.mgmtdevs()[handle]["budgets"]
    assert after["msis"]["used"] == n_vqs + 1 and after["msis"]["free"] == n_entries - n_vqs - 1
    assert after["vqs"]["used"] == n_vqs
    agree()


def test_simulators_have_no_totals(api):
    for handle in ("vdpasim_net", "vdpasim_blk"):
        mgmtdev = api.mgmtdevs()[handle]
        assert (mgmtdev["asid_kind"], mgmtdev["pci_function"], mgmtdev["sriov"]) == ("device-mmu", None, None)
        for budget in mgmtdev["budgets"].values():
            assert (budget["total"], budget["free"], budget["source"]) == (None, None, "driver")


def test_accepted_attributes(api, handle):
    """What each of them takes, found out without a device being made."""
    mgmtdevs = api.mgmtdevs()
    assert mgmtdevs["vdpasim_net"]["accepts"] == ["mac", "mtu", "features"]
    assert mgmtdevs["vdpasim_blk"]["accepts"] == []
    assert mgmtdevs[handle]["accepts"] == ["features"]
    assert vdpa.names() == set()
    # They are true.
    api.create("d", net(1, mtu=1400))
    api.create("card", net(mgmtdev=handle, features=["VERSION_1", "ACCESS_PLATFORM"]))
    agree()


def test_attributes_decide_where_a_device_goes(api, handle):
    """The card comes first in the alphabet and would be the fullest; but it does not take an address."""
    spec = {"class": "net", "placement": {"policy": "pack"}}
    assert api.create("with", {**spec, "net": {"mac": "02:00:00:00:00:01"}})["status"]["mgmtdev"] == "vdpasim_net"
    assert api.create("without", spec)["status"]["mgmtdev"] == handle
    agree()


@pytest.mark.parametrize("spec, number, groups", [(net(1), 2, [0, 0, 1]), (block(), 1, [0])])
def test_groups_and_address_spaces(api, spec, number, groups):
    """As the device itself says; and remembered, since nobody may ask while it is in use."""
    device = api.create("d", spec)
    assert (device["status"]["vq_groups"], device["status"]["address_spaces"]) == (number, number)
    assert device["status"]["group_of_vq"] == groups
    with vhost.opened(device["status"]["endpoint"]) as fd:
        assert vhost.ask(fd, vhost.GET_GROUP_NUM) == vhost.ask(fd, vhost.GET_AS_NUM) == number
        vhost.own(fd)
        assert vhost.vring_groups(fd, len(groups)) == groups
        vhost.tell(fd, vhost.SET_STATUS, vhost.STATUS_IN_USE)
        service.restart()
        first = service.pid()
        service.kill()
        service.wait_restarted(first)
        status = agree(busy={"d"})["d"]["status"]
        assert (status["vq_groups"], status["address_spaces"]) == (number, number)
        assert status["group_of_vq"] == groups
        assert vhost.ask(fd, vhost.GET_STATUS) == vhost.STATUS_IN_USE


def test_groups_of_another_device_of_the_name(api):
    """What the one has said does not hold for the other."""
    api.create("d", net(1))
    service.stop()
    vdpa.delete("d")
    with vdpa.device("d", "vdpasim_blk"):
        service.start()
        status = api.device("d")["status"]
        assert (status["state"], status["vq_groups"]) == ("lost", None)
        api.delete("d")


def test_groups_that_nobody_was_asked_for(api):
    status = api.create("d", net(1, driver="virtio_vdpa"))["status"]
    assert (status["vq_groups"], status["address_spaces"], status["group_of_vq"]) == (None, None, None)
    agree()


@pytest.mark.parametrize("policy", ["spread", "pack"])
def test_configured_policy(api, handle, configured, policy):
    """For net there is room for one on the card, for any number on the simulator (and on VDUSE never)."""
    configured(f"[placement]\npolicy = {policy}\n")
    api.look()
    places = [api.create(f"d{i}", {"class": "net"})["status"]["mgmtdev"] for i in range(3)]
    # With a device on it the card is full, and the simulator is as empty as before.
    assert places == ["vdpasim_net"] * 3 if policy == "spread" else [handle] + ["vdpasim_net"] * 2
    agree()


def test_refusal_in_numbers(api, handle):
    api.create("d", net(mgmtdev=handle))
    answer = api.put("more", {"class": "net", "features": ["VERSION_1"], "placement": {"numa_node": 7}})
    told = {candidate["mgmtdev"]: candidate for candidate in answer.expect(422, "unsatisfiable").json["candidates"]}
    assert {handle, "vdpasim_net", "vdpasim_blk"} <= set(told)
    assert not any(candidate["fits"] for candidate in told.values())
    assert "need 7" in json.dumps(told["vdpasim_net"]["reasons"])
    assert "need 1, free 0 of 1" in json.dumps(told[handle]["reasons"])
    agree()


def netlink_requests(what):
    """The number of messages that the daemon sends to the kernel's netlink while what() is done."""
    log = pathlib.Path("/tmp/netlink.strace")
    with subprocess.Popen(["strace", "-f", "-e", "trace=sendmsg,sendto", "-o", str(log), "-p", str(service.pid())],
                          stderr=subprocess.PIPE, text=True) as strace:
        assert "attached" in strace.stderr.readline()
        what()
        strace.send_signal(signal.SIGINT)
        strace.communicate()
    return sum("AF_NETLINK" in line for line in log.read_text().splitlines())


def test_refusing_asks_the_kernel_nothing(api, handle):
    """A request for which there is no room is answered out of the books, and so as fast as any other is placed."""
    api.create("first", net(mgmtdev=handle))
    ask = Api(Connection().ask)

    def refuse():
        for i in range(MANY):
            ask.put(f"more{i}", net(mgmtdev=handle)).expect(409, "no-capacity")

    # What the daemon looks at by itself meanwhile is a handful.
    n_refusing = netlink_requests(refuse)
    assert n_refusing < MANY
    n_creating = netlink_requests(lambda: [api.create(f"d{i}", net(i)) for i in range(MANY // 3)])
    assert n_creating > n_refusing
    agree()


@pytest.fixture
def pf():
    """The address of a function that can have VFs, with a driver that makes them; in the end it has none."""
    found = [path.parent for path in (vdpa.PCI / "devices").glob("*/sriov_totalvfs") if int(path.read_text())]
    if not found:
        pytest.skip("the machine runs without --pci-sriov")
    vdpa.run("modprobe", "vfio-pci", "enable_sriov=1")
    vdpa.bind_pci_nic(found[0].name, "vfio-pci")
    (found[0] / "sriov_drivers_autoprobe").write_text("0")
    yield found[0]
    (found[0] / "sriov_numvfs").write_text("0")


def test_virtual_functions(api, whole_config_space, pf):
    """The comparison with SR-IOV shows the functions that have it as sysfs and lspci do."""
    for n_vfs in (0, 5):
        (pf / "sriov_numvfs").write_text(str(n_vfs))
        api.look()
        [shown] = api.host()["sriov"]
        assert (shown["pf"], shown["msix_table"]) == (pf.name, lspci(pf.name)[0])
        assert (shown["vfs"]["made"], shown["vfs"]["total"]) == (n_vfs, 8)
        assert int(shown["vfs"]["device_id"], 16) == int((pf / "sriov_vf_device").read_text(), 16)
