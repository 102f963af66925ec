# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernel's own view of vDPA, for tests in the test machine.

What the daemon says is to be compared with what others see who share none of its code: so this asks iproute2's vdpa(8)
and sysfs, and nothing of ours. It is a plain module and no part of pytest's machinery: fixtures belong to who needs them.
"""

import contextlib
import json
import pathlib
import subprocess
import time

BUS = pathlib.Path("/sys/bus/vdpa")
PCI = pathlib.Path("/sys/bus/pci")

VHOST_VDPA = "vhost_vdpa"
VIRTIO_VDPA = "virtio_vdpa"

# Seconds after which something will not happen any more. The machine is emulated, perhaps beside others: only a failure
# waits so long.
DEADLINE = 60.0

VIRTIO_PCI_VENDOR = "0x1af4"
VIRTIO_PCI_NET = "0x1041"  # the modern ID, which is what vp_vdpa can drive


def run(*command, timeout=DEADLINE):
    """The output of a command that is to succeed; what it complained about is in the exception."""
    with open("/dev/null") as nothing:
        process = subprocess.Popen(command, stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, complaint = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        # Not waited for: a vdpa(8) that hangs in the kernel cannot even be killed.
        process.kill()
        raise
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {process.returncode}: {complaint.strip()}")
    return output


def _show(*command):
    # vdpa(8) prints nothing at all, and not even {}, where it has nothing to show.
    return json.loads(run("vdpa", "-j", *command) or "{}")


def mgmtdevs():
    """All management devices: handle ("vdpasim_net", "pci/0000:00:05.0") to attributes."""
    return _show("mgmtdev", "show").get("mgmtdev", {})


def devices():
    """All vDPA devices: name to attributes."""
    return _show("dev", "show").get("dev", {})


def config(name):
    """The device's configuration: mac, mtu, link and the like."""
    return _show("dev", "config", "show", name)["config"][name]


def configs():
    """Those of all devices, by name."""
    return _show("dev", "config", "show").get("config", {})


def add(name, mgmtdev, **attributes):
    """Creates a device as vdpa(8) would, behind the daemon's back: add("x", "vdpasim_net", mac="...")."""
    words = [word for key, value in attributes.items() for word in (key, str(value))]
    run("vdpa", "dev", "add", "name", name, "mgmtdev", mgmtdev, *words)


def delete(name):
    """Deletes a device. Never while its node is open: the kernel would hang until it is closed, and all of vDPA with it."""
    run("vdpa", "dev", "del", name)


@contextlib.contextmanager
def device(name, mgmtdev, **attributes):
    """A device for the length of a with block."""
    add(name, mgmtdev, **attributes)
    try:
        yield name
    finally:
        delete(name)


def names():
    """Of all devices, from sysfs: that answers even where vdpa(8) does not."""
    return {entry.name for entry in (BUS / "devices").iterdir()}


def exists(name):
    return (BUS / "devices" / name).exists()


def driver(name):
    """The driver that a device is bound to, or None."""
    link = BUS / "devices" / name / "driver"
    return link.resolve().name if link.exists() else None


def bind(name, to):
    """Binds a device to one of the bus' two drivers, whatever it is bound to now; None only unbinds."""
    sysfs = BUS / "devices" / name
    if driver(name) == to:
        return
    if driver(name):
        (sysfs / "driver" / "unbind").write_text(name)
    # An empty line takes the override away.
    (sysfs / "driver_override").write_text(f"{to or ''}\n")
    if to:
        (BUS / "drivers_probe").write_text(name)
        if driver(name) != to:
            raise RuntimeError(f"{name} is bound to {driver(name)}, not to {to}")


def vhost_node(name):
    """The device's /dev/vhost-vdpa-N, or None where it is not bound to vhost_vdpa."""
    for entry in (BUS / "devices" / name).glob("vhost-vdpa-*"):
        return pathlib.Path("/dev") / entry.name
    return None


def _virtio_children(name, kind):
    # The virtio device is a child of whoever does the DMA: a simulated device itself, but the PCI device of a real one.
    sysfs = (BUS / "devices" / name).resolve()
    dma = sysfs.parent if (sysfs.parent / "vendor").exists() else sysfs
    return sorted(entry.name for entry in dma.glob(f"virtio*/{kind}/*"))


def netdev(name):
    """The network interface of a device on virtio_vdpa, or None."""
    return next(iter(_virtio_children(name, "net")), None)


def blockdev(name):
    """The block device (its /dev path) of a device on virtio_vdpa, or None."""
    return next((pathlib.Path("/dev") / entry for entry in _virtio_children(name, "block")), None)


def pci_nics():
    """PCI addresses of the cards that `machine run --pci-nic` added, once for each time it was given."""
    return sorted(
        device.name
        for device in (PCI / "devices").iterdir()
        if (device / "vendor").read_text().strip() == VIRTIO_PCI_VENDOR
        and (device / "device").read_text().strip() == VIRTIO_PCI_NET
    )


def bind_pci_nic(address, to="vp-vdpa"):
    """Gives a PCI card to vp-vdpa (or back to "virtio-pci"); returns its handle as a management device."""
    sysfs = PCI / "devices" / address
    if (sysfs / "driver").exists():
        (sysfs / "driver" / "unbind").write_text(address)
    (sysfs / "driver_override").write_text(f"{to}\n")
    (PCI / "drivers_probe").write_text(address)
    bound = (sysfs / "driver").resolve().name if (sysfs / "driver").exists() else None
    if bound != to:
        raise RuntimeError(f"{address} is bound to {bound}, not to {to}")
    return f"pci/{address}"


def wait_for(what, timeout=DEADLINE):
    """Calls what() until it answers something true, and returns that: udev and the kernel's threads take their time."""
    deadline = time.monotonic() + timeout
    while not (value := what()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {value!r} after {timeout} s")
        time.sleep(0.01)
    return value
