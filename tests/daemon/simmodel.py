# SPDX-License-Identifier: LGPL-2.1-or-later
"""The simulated hardware's own tables, read from its file (sim.shm) by someone who shares no code with the daemon.

It may be read while a daemon runs, and means something while that has nothing under way. The layout is that of
src/sim/model-file.h and model.h.
"""

import struct

NAME = "sim.shm"
MAGIC = b"hsvdpaS\x01"
LAYOUT_VERSION = 2
LIVE = 0x4C495645

HEADER = struct.Struct("<8sIIIIII32x")
MGMTDEV = struct.Struct("<IIIxxxxIIQQQ128s128s128s24s")
DEVICE = struct.Struct("<IHHQ6sBxBxHIIIHHIHH72sxxxx48x64s")
TABLE_ENTRY = struct.Struct("<Q")

N_MGMTDEVS = 64
N_DEVICES = 1 << 20
N_BLOCKS = 1 << 20
BLOCK_WORDS = 64
MAP_WORDS = 18
IDS_MAX = 1 << 24
ALIGNMENT = 65536

DRIVERS = (None, "vhost_vdpa", "virtio_vdpa", "other")
ASID_KINDS = ("device-mmu", "pasid")


def align(offset):
    return -(-offset // ALIGNMENT) * ALIGNMENT


MGMTDEVS_AT = HEADER.size
DEVICES_AT = align(MGMTDEVS_AT + N_MGMTDEVS * MGMTDEV.size)
BLOCKS_AT = align(DEVICES_AT + N_DEVICES * DEVICE.size)
TABLES_AT = align(BLOCKS_AT + N_BLOCKS * BLOCK_WORDS * 4)


def text(field):
    return field.split(b"\0", 1)[0].decode(errors="replace")


class Mgmtdev:
    def __init__(self, index, fields):
        (self.state, kind, self.space, self.n_asids, self.n_msis, self.n_faults, *_, even, odd, handle, _) = fields
        self.index = index
        self.handle = text(handle)
        self.asid_kind = ASID_KINDS[kind]
        self.last_fault = text(odd if self.n_faults % 2 else even)


class Device:
    """asids and msis: the IDs that it has been given, in order of virtqueue groups, and of virtqueues (the last one for
    configuration changes); None where it has been given none."""

    def __init__(self, slot, fields, model):
        (self.state, index, self.kind, self.features, mac, has_mac, driver, self.mode, self.number, self.uid, self.gid,
         self.mtu, self.max_vqp, self.generation, n_groups, n_vqs, words, name) = fields
        self.slot = slot
        self.name = text(name)
        self.mgmtdev = model.mgmtdevs.get(index)
        self.mac = mac.hex(":") if has_mac else None
        self.driver = DRIVERS[driver]
        ids = model.read_map(words, n_groups + n_vqs + 1)
        self.asids, self.msis = ids[:n_groups], ids[n_groups:]


class Model:
    def __init__(self, path):
        with open(path, "rb") as self.file:
            magic, version, n_mgmtdevs, n_devices, size, high_water, n_blocks = HEADER.unpack(self.file.read(HEADER.size))
            known = (MAGIC, LAYOUT_VERSION, N_MGMTDEVS, N_DEVICES, DEVICE.size, N_BLOCKS)
            if (magic, version, n_mgmtdevs, n_devices, size, n_blocks) != known:
                raise ValueError(f"{path}: is not a model of layout {LAYOUT_VERSION}")
            self.mgmtdevs = {
                i: Mgmtdev(i, fields) for i, fields in enumerate(self.read_all(MGMTDEV, MGMTDEVS_AT, N_MGMTDEVS))
                if fields[0] == LIVE
            }
            self.devices = [
                Device(slot, fields, self) for slot, fields in enumerate(self.read_all(DEVICE, DEVICES_AT, high_water))
                if fields[0] == LIVE
            ]
            self.holders = {
                (kind, table, number): self.read_holder(table if kind == "asids" else N_MGMTDEVS + table, number)
                for device in self.devices if device.mgmtdev
                for kind, table, number in self.held(device)
            }

    def read_at(self, offset, size):
        self.file.seek(offset)
        return self.file.read(size)

    def read_all(self, row, offset, n):
        return row.iter_unpack(self.read_at(offset, n * row.size))

    def read_map(self, words, n):
        words = struct.unpack(f"<{MAP_WORDS}I", words)
        if n > MAP_WORDS:
            blocks = words[: -(-n // BLOCK_WORDS)]
            size = 4 * BLOCK_WORDS
            words = struct.unpack(
                f"<{len(blocks) * BLOCK_WORDS}I", b"".join(self.read_at(BLOCKS_AT + block * size, size) for block in blocks)
            )
        return [word - 1 if word else None for word in words[:n]]

    @staticmethod
    def held(device):
        """What it holds, as keys of holders: kind, number of the table, ID."""
        for number in device.asids:
            if number is not None:
                yield "asids", device.mgmtdev.space, number
        for number in device.msis:
            if number is not None:
                yield "msis", device.mgmtdev.index, number

    def read_holder(self, table, number):
        """The (slot, generation) that the table of IDs has, or None."""
        at = TABLES_AT + (table * IDS_MAX + number) * TABLE_ENTRY.size
        (entry,) = TABLE_ENTRY.unpack(self.read_at(at, TABLE_ENTRY.size))
        return (entry >> 32 & 0xFFFFF, entry & 0xFFFFFFFF) if entry >> 63 else None
