# SPDX-License-Identifier: LGPL-2.1-or-later
"""/dev/vhost-vdpa-N as its user sees it: a VM, in earnest."""

import contextlib
import errno
import fcntl
import os
import struct

# Of linux/vhost.h.
GET_FEATURES = (0x8008AF00, "Q")
SET_OWNER = 0xAF01
GET_DEVICE_ID = (0x8004AF70, "I")
GET_STATUS = (0x8001AF71, "B")
SET_STATUS = (0x4001AF72, "B")
GET_VRING_NUM = (0x8002AF76, "H")
GET_VRING_GROUP = (0xC008AF7B, "II")
GET_AS_NUM = (0x8004AF7A, "I")
GET_VQS_COUNT = (0x8004AF80, "I")
GET_GROUP_NUM = (0x8004AF81, "I")

# Of linux/virtio_config.h: a driver has been found, and begins.
STATUS_IN_USE = 0x01 | 0x02


@contextlib.contextmanager
def opened(path):
    """Holds the node for the length of a with block. The kernel resets the device at each opening."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def ask(fd, request):
    number, kind = request
    return struct.unpack(kind, fcntl.ioctl(fd, number, bytes(struct.calcsize(kind))))[0]


def own(fd):
    """Who asks for virtqueues has to be the owner; one can be that once."""
    fcntl.ioctl(fd, SET_OWNER)


def vring_groups(fd, n):
    """The group of each virtqueue, or None of a driver that has no answer."""
    number, kind = GET_VRING_GROUP
    try:
        return [struct.unpack(kind, fcntl.ioctl(fd, number, struct.pack(kind, vq, 0)))[1] for vq in range(n)]
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        return None


def tell(fd, request, value):
    number, kind = request
    fcntl.ioctl(fd, number, struct.pack(kind, value))
