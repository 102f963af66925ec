# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proves the machine itself: where one of these fails, no other test's word counts."""

import errno
import fcntl
import os
import pathlib
import socket
import struct
import subprocess

import pytest

import vdpa

MAC = "00:11:22:33:44:55"

VHOST_VDPA_GET_DEVICE_ID = 0x8004AF70
VIRTIO_ID_NET = 1

needs_pci_nic = pytest.mark.skipif(not vdpa.pci_nics(), reason="machine runs without --pci-nic")
needs_two_pci_nics = pytest.mark.skipif(len(vdpa.pci_nics()) < 2, reason="machine runs without --pci-nic twice")


def test_systemd_is_up_and_nothing_failed():
    assert pathlib.Path("/proc/1/comm").read_text().strip() == "systemd"
    assert vdpa.run("systemctl", "--failed", "--plain", "--no-legend") == ""
    assert vdpa.run("busctl", "--system", "get-property", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                    "org.freedesktop.systemd1.Manager", "Version").startswith("s ")


def test_thread_limits_allow_many_devices():
    assert int(pathlib.Path("/proc/sys/kernel/pid_max").read_text()) >= 200_000
    assert int(pathlib.Path("/proc/sys/kernel/threads-max").read_text()) >= 200_000


@pytest.mark.parametrize("handle, kind", [("vdpasim_net", "net"), ("vdpasim_blk", "block"), ("vduse", "net")])
def test_management_devices(handle, kind):
    assert kind in vdpa.mgmtdevs()[handle]["supported_classes"]


def test_vduse_control_node():
    assert pathlib.Path("/dev/vduse/control").is_char_device()


def test_net_device_has_its_mac_and_a_vhost_node():
    with vdpa.device("net0", "vdpasim_net", mac=MAC):
        assert vdpa.devices()["net0"]["mgmtdev"] == "vdpasim_net"
        assert vdpa.config("net0")["mac"] == MAC
        assert vdpa.driver("net0") == vdpa.VHOST_VDPA
        node = vdpa.wait_for(lambda: vdpa.vhost_node("net0"))
        vdpa.wait_for(node.is_char_device)

        fd = os.open(node, os.O_RDWR)
        try:
            answer = fcntl.ioctl(fd, VHOST_VDPA_GET_DEVICE_ID, bytes(4))
            assert struct.unpack("I", answer) == (VIRTIO_ID_NET,)
            with pytest.raises(OSError) as second:
                os.open(node, os.O_RDWR)
            assert second.value.errno == errno.EBUSY
        finally:
            os.close(fd)
    assert not vdpa.exists("net0")
    assert vdpa.devices() == {}


def test_net_device_on_virtio_vdpa_is_a_network_interface():
    with vdpa.device("net0", "vdpasim_net", mac=MAC):
        vdpa.bind("net0", vdpa.VIRTIO_VDPA)
        interface = vdpa.wait_for(lambda: vdpa.netdev("net0"))
        assert pathlib.Path(f"/sys/class/net/{interface}/address").read_text().strip() == MAC
        vdpa.bind("net0", vdpa.VHOST_VDPA)
        assert vdpa.netdev("net0") is None


def test_block_device_on_virtio_vdpa_keeps_a_pattern():
    pattern = os.urandom(4096) * 256
    with vdpa.device("blk0", "vdpasim_blk"):
        vdpa.bind("blk0", vdpa.VIRTIO_VDPA)
        node = vdpa.wait_for(lambda: vdpa.blockdev("blk0"))
        vdpa.wait_for(node.is_block_device)
        # O_DIRECT, or it would be the page cache that keeps it.
        for command, data in ((f"of={node} oflag=direct", pattern), (f"if={node} iflag=direct", b"")):
            done = subprocess.run(f"dd {command} bs=4096 count=256 iflag=fullblock status=none", shell=True,
                                  input=data, capture_output=True, check=True)
        assert done.stdout == pattern


@needs_pci_nic
def test_pci_card_is_a_management_device():
    card = vdpa.pci_nics()[0]
    handle = vdpa.bind_pci_nic(card)
    try:
        assert handle in vdpa.mgmtdevs()
        with vdpa.device("pci0", handle):
            assert vdpa.config("pci0")["mac"].startswith("52:54:00:76:64:")
            node = vdpa.wait_for(lambda: vdpa.vhost_node("pci0"))
            vdpa.wait_for(node.is_char_device)
            # Refused with EOPNOTSUPP, were there no IOMMU that the kernel trusts.
            os.close(os.open(node, os.O_RDWR))

            vdpa.bind("pci0", vdpa.VIRTIO_VDPA)
            assert vdpa.wait_for(lambda: vdpa.netdev("pci0"))
            vdpa.bind("pci0", vdpa.VHOST_VDPA)
            assert vdpa.netdev("pci0") is None
    finally:
        vdpa.bind_pci_nic(card, "virtio-pci")
    assert handle not in vdpa.mgmtdevs()


@needs_two_pci_nics
def test_packets_pass_through_a_vdpa_device():
    through_vdpa, plain = vdpa.pci_nics()[:2]
    handle = vdpa.bind_pci_nic(through_vdpa)
    vdpa.run("ip", "netns", "add", "peer")
    try:
        with vdpa.device("pci0", handle):
            vdpa.bind("pci0", vdpa.VIRTIO_VDPA)
            vdpa.wait_for(lambda: vdpa.netdev("pci0"))
            # udev may be about to give it another name.
            vdpa.run("udevadm", "settle")
            here = vdpa.netdev("pci0")
            there = next((vdpa.PCI / "devices" / plain).glob("virtio*/net/*")).name
            vdpa.run("ip", "link", "set", there, "netns", "peer")
            vdpa.run("ip", "address", "add", "192.0.2.1/24", "dev", here)
            vdpa.run("ip", "link", "set", here, "up")
            vdpa.run("ip", "-n", "peer", "address", "add", "192.0.2.2/24", "dev", there)
            vdpa.run("ip", "-n", "peer", "link", "set", there, "up")
            # Nobody listens there: that word has come all the way back.
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("192.0.2.2", 9), timeout=20)
            vdpa.bind("pci0", None)
    finally:
        vdpa.run("ip", "netns", "delete", "peer")
        vdpa.bind_pci_nic(through_vdpa, "virtio-pci")
