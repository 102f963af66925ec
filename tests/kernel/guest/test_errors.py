# SPDX-License-Identifier: LGPL-2.1-or-later
"""What cannot be made: said why, in the kernel's own words where it was the kernel that refused, and nothing is left."""

import pytest

from agreement import agree
from rest import NO_MGMTDEV, block, net

# Refused by what the management device says of itself: spec, code, where the fault is.
UNSATISFIABLE = {
    "class of another": (block(mgmtdev="vdpasim_net"), "/spec/class"),
    "class that none has": ({"class": "gpu"}, "/spec/class"),
    "no such management device": (net(mgmtdev=NO_MGMTDEV), "/spec/mgmtdev"),
    "queues beyond": ({**net(), "net": {"max_vqp": 2}}, "/spec/net"),
    "many queues beyond": ({**net(), "net": {"max_vqp": 32767}}, "/spec/net"),
    "attribute of another driver": (net(mtu=1400, mgmtdev="vduse"), "/spec/net"),
    "feature that is not offered": (net(features=["MQ", "CTRL_VQ", "VERSION_1"]), "/spec/features"),
}


@pytest.mark.parametrize("case", UNSATISFIABLE)
def test_what_no_management_device_can_make(api, case):
    spec, pointer = UNSATISFIABLE[case]
    answer = api.put("d", spec).expect(422, "unsatisfiable")
    assert pointer in answer.pointers()
    agree()


# Refused by the kernel: spec, and what it says.
REFUSED = {
    "device that nobody has prepared": (net(mgmtdev="vduse"), "Invalid argument"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_kernel_refuses(api, case):
    spec, text = REFUSED[case]
    answer = api.put("d", spec).expect(422, "not-supported")
    for part in ("DEV_NEW", text, "nothing was made"):
        assert part in answer.detail
    agree()


def test_attribute_without_its_feature(api):
    """The kernel would refuse it too, but not say where."""
    spec = net(1, mtu=1400, features=["STATUS", "VERSION_1", "ACCESS_PLATFORM"])
    pointers = api.put("d", spec).expect(400, "invalid-request").pointers()
    assert sorted(pointers) == ["/spec/net/mac", "/spec/net/mtu"]
    agree()


def test_bad_request_names_all_its_faults(api):
    spec = {"class": "net", "driver": "none", "net": {"mac": "01:00:00:00:00:00", "mtu": 1}, "nonsense": True}
    pointers = api.put("d", spec).expect(400, "invalid-request").pointers()
    assert sorted(pointers) == ["/spec/driver", "/spec/net/mac", "/spec/net/mtu", "/spec/nonsense"]
    agree()
