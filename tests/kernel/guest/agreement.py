# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the daemon says of this host what others say of it: vdpa(8), ip(8), sysfs, the device nodes themselves.

agree() is called after every step. It holds everything that both sides know against each other, in both directions:
nothing may be on one side only, and no field that one of the others shows may go unchecked.
"""

import json
import os
import pathlib
import stat

import checker
import rest
import vdpa
import vhost

CLASSES = {"net": "network", "block": "block"}
CLASS_NUMBERS = {"net": 1, "block": 2}

# Of linux/virtio_config.h, virtio_net.h and virtio_blk.h; what the devices here can have.
COMMON_FEATURES = {
    27: "ANY_LAYOUT", 28: "RING_INDIRECT_DESC", 29: "RING_EVENT_IDX", 32: "VERSION_1", 33: "ACCESS_PLATFORM",
    40: "RING_RESET",
}
FEATURES = {
    "net": {
        0: "CSUM", 1: "GUEST_CSUM", 2: "CTRL_GUEST_OFFLOADS", 3: "MTU", 5: "MAC", 7: "GUEST_TSO4", 8: "GUEST_TSO6",
        9: "GUEST_ECN", 10: "GUEST_UFO", 11: "HOST_TSO4", 12: "HOST_TSO6", 13: "HOST_ECN", 14: "HOST_UFO",
        15: "MRG_RXBUF", 16: "STATUS", 17: "CTRL_VQ", 18: "CTRL_RX", 19: "CTRL_VLAN", 20: "CTRL_RX_EXTRA",
        21: "GUEST_ANNOUNCE", 22: "MQ", 23: "CTRL_MAC_ADDR", **COMMON_FEATURES,
    },
    "block": {
        1: "SIZE_MAX", 2: "SEG_MAX", 4: "GEOMETRY", 5: "RO", 6: "BLK_SIZE", 9: "FLUSH", 10: "TOPOLOGY",
        11: "CONFIG_WCE", 12: "MQ", 13: "DISCARD", 14: "WRITE_ZEROES", **COMMON_FEATURES,
    },
}

# What vdpa(8) shows. Something else would be something that nobody compares.
DEVICE_FIELDS = {"type", "mgmtdev", "vendor_id", "max_vqs", "max_vq_size"}
CONFIG_FIELDS = {"mac", "mtu", "max_vq_pairs", "link", "link_announce", "negotiated_features"}
MGMTDEV_FIELDS = {"supported_classes", "max_supported_vqs", "dev_features"}

# What is observed of a device, and so null where there is none.
OBSERVED = ("driver", "endpoint", "vendor_id", "max_vqs", "vq_size", "features")


def agree(foreign=(), lost=(), absent=(), busy=(), adopted=()):
    """Asserts that the daemon and the host agree; returns the daemon's devices.

    foreign: the names of all devices that are not the daemon's; lost: of its devices that the host does not have;
    absent: the handles of management devices that are listed only for the devices recorded on them; busy: devices in use,
    into which one cannot look; adopted: devices of the daemon's that someone else has made again.
    """
    api = rest.Api(rest.Connection().ask)
    # The number of foreign devices is as of the daemon's last look.
    api.look()
    host = api.wait_idle()
    devices, mgmtdevs = api.devices(), api.mgmtdevs()
    kernel, configs = vdpa.devices(), vdpa.configs()
    interfaces = {link["ifname"]: link for link in json.loads(vdpa.run("ip", "-j", "link", "show"))}

    assert set(devices) - set(lost) == set(kernel) - set(foreign)
    assert set(lost) <= set(devices) and set(foreign) <= set(kernel)
    for name, device in devices.items():
        if name in lost:
            check_lost(device)
        else:
            check_status(device, kernel[name], configs[name])
            check_spec(device, name in adopted)
            check_endpoint(device, interfaces, name in busy)
    check_mgmtdevs(mgmtdevs, devices, kernel, foreign, absent)
    check_host(host, devices, foreign)
    checker.check_connection(checker.Connection(f"unix:{rest.SOCKET}"))
    return devices


def same(device, what, ours, theirs):
    assert ours == theirs, f"{device['name']}: {what}: the daemon says {ours!r}, the host {theirs!r}"


def check_lost(device):
    status = device["status"]
    assert status["state"] == "lost" and status["reason"]["code"] and status["reason"]["detail"]
    assert all(status[field] is None for field in OBSERVED)
    assert device["spec"]["class"] != "net" or status["net"] == {"mac": None, "mtu": None, "max_vqp": None}


def check_status(device, kernel, config):
    """What vdpa(8) and sysfs say of it."""
    status, config = device["status"], {key.strip(): value for key, value in config.items()}
    assert set(kernel) <= DEVICE_FIELDS and set(config) <= CONFIG_FIELDS

    same(device, "state", (status["state"], status["reason"], status["simulated"]), ("ready", None, False))
    same(device, "class", CLASSES[device["spec"]["class"]], kernel["type"])
    same(device, "mgmtdev", status["mgmtdev"], kernel["mgmtdev"])
    same(device, "vendor_id", status["vendor_id"], kernel["vendor_id"] or None)
    same(device, "max_vqs", status["max_vqs"], kernel["max_vqs"])
    same(device, "vq_size", status["vq_size"], kernel["max_vq_size"])
    same(device, "driver", status["driver"], vdpa.driver(device["name"]))
    if device["spec"]["class"] == "net":
        # A device that has no feature MQ has one pair.
        net = {"mac": config.get("mac"), "mtu": config.get("mtu"), "max_vqp": config.get("max_vq_pairs", 1)}
        same(device, "net", status["net"], net)
    else:
        assert "net" not in status
    assert set(config.get("negotiated_features", ())) <= set(status["features"])


def check_spec(device, is_adopted):
    """It is what was asked for."""
    spec, status = device["spec"], device["status"]
    same(device, "driver", spec["driver"], status["driver"])
    same(device, "mgmtdev", spec.get("mgmtdev", status["mgmtdev"]), status["mgmtdev"])
    for key, value in spec.get("net", {}).items():
        same(device, key, value, status["net"][key])
    if "features" in spec:
        same(device, "features", sorted(spec["features"]), sorted(status["features"]))
    override = (vdpa.BUS / "devices" / device["name"] / "driver_override").read_text().strip()
    # Where the right driver has come by itself, nobody needs to ask for it.
    assert is_adopted and override == "(null)" or override == spec["driver"]


def check_endpoint(device, interfaces, is_busy):
    if device["status"]["driver"] == vdpa.VHOST_VDPA:
        check_vhost(device, is_busy)
    elif device["spec"]["class"] == "net":
        if not is_busy:
            check_interface(device, interfaces)
    else:
        path = str(vdpa.blockdev(device["name"]))
        same(device, "endpoint", device["status"]["endpoint"], path)
        check_node(path, stat.S_ISBLK, f"/sys/class/block/{pathlib.Path(path).name}/dev")
        check_negotiated(device, f"/sys/class/block/{pathlib.Path(path).name}/device/features")


def check_node(path, is_kind, sysfs):
    """The node in /dev is that of the device, and not of one that had its number before."""
    node = os.lstat(path)
    assert is_kind(node.st_mode)
    assert f"{os.major(node.st_rdev)}:{os.minor(node.st_rdev)}" == pathlib.Path(sysfs).read_text().strip()
    return node


def check_vhost(device, is_busy):
    name, status, wanted = device["name"], device["status"], device["spec"]["endpoint"]
    path = str(vdpa.vhost_node(name))
    same(device, "endpoint", status["endpoint"], path)
    node = check_node(path, stat.S_ISCHR, vdpa.BUS / "devices" / name / pathlib.Path(path).name / "dev")
    same(device, "owner", (wanted["uid"], wanted["gid"]), (node.st_uid, node.st_gid))
    same(device, "mode", int(wanted["mode"], 8), stat.S_IMODE(node.st_mode))
    if is_busy:
        return
    with vhost.opened(path) as fd:
        kind = device["spec"]["class"]
        same(device, "virtio ID", CLASS_NUMBERS[kind], vhost.ask(fd, vhost.GET_DEVICE_ID))
        same(device, "max_vqs", status["max_vqs"], vhost.ask(fd, vhost.GET_VQS_COUNT))
        same(device, "vq_size", status["vq_size"], vhost.ask(fd, vhost.GET_VRING_NUM))
        same(device, "features", status["features"], feature_names(kind, vhost.ask(fd, vhost.GET_FEATURES)))
        # Known of what the daemon has bound itself.
        if status["vq_groups"] is not None:
            same(device, "vq_groups", status["vq_groups"], vhost.ask(fd, vhost.GET_GROUP_NUM))
            same(device, "address_spaces", status["address_spaces"], vhost.ask(fd, vhost.GET_AS_NUM))
            vhost.own(fd)
            same(device, "group_of_vq", status["group_of_vq"], vhost.vring_groups(fd, status["max_vqs"]))


def feature_names(kind, bits):
    return [FEATURES[kind][bit] for bit in range(64) if bits >> bit & 1]


def check_interface(device, interfaces):
    status = device["status"]
    name = vdpa.netdev(device["name"])
    same(device, "endpoint", status["endpoint"], name)
    if "MAC" in status["features"] and int(status["net"]["mac"].replace(":", ""), 16):
        same(device, "mac", status["net"]["mac"], interfaces[name]["address"])
    if "MTU" in status["features"]:
        same(device, "mtu", status["net"]["mtu"], interfaces[name]["mtu"])
    check_negotiated(device, f"/sys/class/net/{name}/device/features")


def check_negotiated(device, path):
    """What the kernel's own driver has taken must have been offered."""
    bits = int(pathlib.Path(path).read_text().strip()[::-1], 2)
    taken = feature_names(device["spec"]["class"], bits)
    assert taken and set(taken) <= set(device["status"]["features"])


def check_mgmtdevs(mgmtdevs, devices, kernel, foreign, absent):
    theirs = vdpa.mgmtdevs()
    assert set(mgmtdevs) - set(absent) == set(theirs)
    assert set(absent) <= set(mgmtdevs)
    for handle, mgmtdev in mgmtdevs.items():
        assert mgmtdev["present"] == (handle in theirs) and not mgmtdev["simulated"]
        if handle in theirs:
            check_capabilities(mgmtdev, theirs[handle])

        on_it = {name for name in kernel if kernel[name]["mgmtdev"] == handle}
        ours = {name for name, device in devices.items() if device["status"]["mgmtdev"] == handle}
        assert mgmtdev["foreign_devices"] == len(on_it & set(foreign))
        for budget in mgmtdev["budgets"].values():
            taken = budget["used"] + budget["reserved"] + budget["quarantined"]
            assert budget["total"] is None or taken + budget["free"] == budget["total"] or taken > budget["total"]
        budget = mgmtdev["budgets"]["devices"]
        assert budget["used"] == len(ours | on_it)
        assert (budget["total"] is None) == (budget["free"] is None)
        if budget["total"] is not None:
            assert budget["free"] == max(0, budget["total"] - budget["used"])


def check_capabilities(mgmtdev, kernel):
    assert set(kernel) <= MGMTDEV_FIELDS
    assert mgmtdev["classes"] == kernel["supported_classes"] == list(mgmtdev["features"])
    assert mgmtdev["max_vqs"] == (kernel["max_supported_vqs"] or None)
    for kind, features in mgmtdev["features"].items():
        # Bits that this vdpa(8) has no name for, it shows as numbers.
        assert features == [FEATURES[kind].get(feature, feature) for feature in kernel["dev_features"]]


def check_host(host, devices, foreign):
    assert host["backend"] == "kernel" and host["available"] and host["reason"] is None
    assert host["kernel"] == os.uname().release
    assert host["boot_id"] == pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert host["drivers"] == {name: (vdpa.BUS / "drivers" / name).exists() for name in (vdpa.VHOST_VDPA, vdpa.VIRTIO_VDPA)}
    assert host["autoprobe"] == ((vdpa.BUS / "drivers_autoprobe").read_text().strip() == "1")

    states = dict.fromkeys(("reserved", "creating", "ready", "deleting", "failed", "lost"), 0)
    for device in devices.values():
        states[device["status"]["state"]] += 1
    assert host["devices"] == {"total": len(devices), "foreign": len(foreign), **states}
