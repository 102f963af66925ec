# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real file system that is full: changes are refused with the reason, reads go on, and it is over when there is room.

The file system is small, and is mounted in a namespace of its own, which goes with the test."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import daemons
from daemon import Daemon
from support import net_spec, poll

NET = {"class": "net"}
SIZE = 1 << 21


class Disk:
    """A file system at path, seen by who enters the namespace of the process that holds it."""

    def __init__(self, path, command):
        self.path = path
        path.mkdir()
        script = f'{command} && echo mounted && exec cat'
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.answer = self.holder.stdout.readline().strip()

    @property
    def is_mounted(self):
        return self.answer == "mounted"

    def inside(self):
        """The path, for this process."""
        return Path(f"/proc/{self.holder.pid}/root{self.path}")

    def enter(self):
        return ["nsenter", "--mount", f"--target={self.holder.pid}"]

    def fill(self):
        with open(self.inside() / "filler", "wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self):
        (self.inside() / "filler").unlink()

    def close(self):
        self.holder.communicate()


class OnDisk(Daemon):
    """Its state directory is on the disk."""

    disk = None

    def command(self, *arguments):
        return [*self.disk.enter(), *super().command(*arguments)]


MOUNTS = {
    "tmpfs": f'mount -t tmpfs -o size={SIZE} hsvdpa "$1"',
    # Its blocks are smaller than pages of memory.
    "ext4": f'truncate -s {4 * SIZE} "$1.image" && mkfs.ext4 -q -m 0 -b 1024 "$1.image" && mount -o loop "$1.image" "$1"',
}


@pytest.fixture(params=MOUNTS)
def daemon(request):
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    if request.param == "ext4" and not shutil.which("mkfs.ext4"):
        pytest.skip("there is no mkfs.ext4")
    with daemons(OnDisk) as make:
        daemon = make()
        daemon.disk = Disk(daemon.state_dir, MOUNTS[request.param])
        try:
            if not daemon.disk.is_mounted:
                pytest.skip(f"a file system cannot be mounted here: {daemon.disk.answer}")
            daemon.start()
            yield daemon
            daemon.close()
        finally:
            if daemon.process:
                daemon.process.kill()
                daemon.wait()
            daemon.disk.close()


def fill(daemon, client):
    """Until a change is refused: the log may have room left."""
    daemon.disk.fill()
    for i in range(3000):
        answer = client.put(f"more{i}", NET)
        if answer.status != 201:
            return answer
    raise AssertionError("the disk is not full")


def test_a_full_disk(daemon):
    client = daemon.client()
    client.create("d", net_spec("02:00:00:00:00:2a"))
    assert client.host()["store"] == {"writable": True, "reason": None, "since": None}

    answer = fill(daemon, client).expect(503, "store-failed")
    assert "the disk is full" in answer.json["detail"]
    before = client.devices()
    device = before["d"]
    assert "the disk is full" in client.get("/readyz").expect(503, "store-failed").json["detail"]
    store = client.host()["store"]
    assert not store["writable"] and "the disk is full" in store["reason"] and store["since"]
    for _ in range(3):
        client.put("new", NET).expect(503, "store-failed")
        client.delete("d").expect(503, "store-failed")
        client.patch("d", {"owner": "x"}).expect(503, "store-failed")
        client.get("/healthz").expect(200)
        kept = client.device("d")
        assert kept == {**device, "revision": kept["revision"]}
    assert client.devices().keys() == before.keys()
    assert daemon.log().count("Changes are refused until") == 1

    daemon.disk.free()
    poll("end of the trouble, by itself", lambda: client.get("/readyz").status == 200)
    assert client.host()["store"] == {"writable": True, "reason": None, "since": None}
    client.create("new", NET)
    assert client.patch("d", {"owner": "x"}).expect(200).json["generation"] == 2
    client.delete("more0", missing_ok="true").expect(204)
    before = {name: (d["uid"], d["spec"]) for name, d in client.devices().items()}
    daemon.kill9()
    client = daemon.start()
    assert {name: (d["uid"], d["spec"]) for name, d in client.devices().items()} == before


def test_a_restart_on_a_full_disk(daemon):
    """What is recorded can be read; nothing can be changed until there is room."""
    client = daemon.client()
    client.create("d", NET)
    fill(daemon, client)
    before = client.devices()
    daemon.kill9()
    daemon.spawn()
    poll("socket or end", lambda: daemon.process.poll() is not None or daemon.is_listening())
    if daemon.process.poll() is not None:
        # There is no room even for the log's index.
        assert daemon.wait() == 1
        assert "the disk is full" in daemon.log()
        daemon.disk.free()
        client = daemon.start()
    else:
        client = daemon.client()
        assert client.devices().keys() == before.keys()
        daemon.disk.free()
        poll("ready daemon", daemon.is_ready)
    assert client.devices().keys() == before.keys()
    client.create("new", NET)
