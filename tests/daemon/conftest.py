# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all tests of the daemon share."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest

from daemon import PROGRAM, Daemon

LOG_SHOWN = 8000


def pytest_collection_modifyitems(items):
    """What is said of all answers together comes when all have been seen."""
    items.sort(key=lambda item: item.path.name == "test_contract.py")


def pytest_sessionstart(session):
    if not PROGRAM:
        pytest.exit("there is no hsvdpad: build it, and run this in the build directory, or set HSVDPAD", 2)


@contextlib.contextmanager
def temporary_directory():
    """Short enough for a Unix socket in it, which pytest's own are not everywhere."""
    directory = Path(tempfile.mkdtemp(prefix="hsvdpa-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def daemons(kind=Daemon):
    """A function that makes daemons, each in a directory of its own unless it is told another."""
    made = []
    with contextlib.ExitStack() as stack:

        def make(config="", directory=None):
            directory = directory or stack.enter_context(temporary_directory())
            made.append(kind(directory, config))
            return made[-1]

        def close(daemon):
            if daemon.process:
                daemon.process.kill()
                daemon.wait()

        try:
            yield make
            for daemon in made:
                daemon.close()
        finally:
            # Pytest shows this with a failure only.
            for daemon in made:
                close(daemon)
                print(f"--- log of the daemon in {daemon.directory}\n{daemon.log()[-LOG_SHOWN:]}")


@pytest.fixture
def make_daemon():
    with daemons() as make:
        yield make


@pytest.fixture
def daemon(make_daemon):
    """A running daemon with the default management device, sim0."""
    daemon = make_daemon()
    daemon.start()
    return daemon


@pytest.fixture
def client(daemon):
    return daemon.client()


@pytest.fixture(scope="module")
def shared_daemon(request):
    """One running daemon for all tests of a module; its configuration is the module's CONFIG."""
    with daemons() as make:
        daemon = make(getattr(request.module, "CONFIG", ""))
        daemon.start()
        yield daemon
