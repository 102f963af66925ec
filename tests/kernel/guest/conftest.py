# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the daemon in the test machine share."""

import contextlib
import subprocess

import pytest

import crowd
import rest
import service
import vdpa
from agreement import agree

# The machine itself comes first: its tests say what the others' are worth. Last is what takes modules from the kernel.
FIRST, LAST = "test_machine.py", "test_modules.py"

# Where the journal was when the test began, and whether it has failed.
CURSOR = pytest.StashKey[str]()
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: (item.path.name != FIRST, item.path.name == LAST))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        item.stash[FAILED] = True
        if CURSOR in item.stash:
            report.sections.append(("What the daemon said", service.journal(item.stash[CURSOR])))


def tidy():
    """Takes back what a test has made, by the daemon itself, and looks whether all is gone."""
    devices = rest.Api(rest.Connection().ask).devices()
    assert set(crowd.run(("delete", name) for name in devices).values()) <= {204}
    assert agree() == {}


def wipe(session):
    try:
        service.wipe()
    except subprocess.TimeoutExpired:
        # Each further test would only wait for its own end, one minute after the other.
        session.shouldstop = "vDPA hangs in the kernel, so that nothing more can be tested"
        raise


@pytest.fixture
def api(request):
    """The interface of a running daemon without devices, on a host without devices."""
    request.node.stash[CURSOR] = service.journal_cursor()
    if not service.is_ready() or vdpa.devices():
        wipe(request.session)
        service.start()
    try:
        yield rest.Api()
        if FAILED not in request.node.stash:
            tidy()
    finally:
        if FAILED in request.node.stash:
            wipe(request.session)


@pytest.fixture
def card():
    """A PCI card that vp-vdpa does not have yet, and in the end has no more."""
    if not vdpa.pci_nics():
        pytest.skip("the machine runs without --pci-nic")
    address = vdpa.pci_nics()[0]
    yield address
    with contextlib.suppress(RuntimeError):
        vdpa.bind_pci_nic(address, "virtio-pci")
