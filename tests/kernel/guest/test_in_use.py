# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices that someone uses are left alone, and nobody has to wait for it: not the client, nor the rest of the host."""

import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

import crowd
import service
import vdpa
import vhost
from agreement import agree
from rest import Api, Connection, block, net

# A refusal takes looks at /proc, and no waiting: even here it is a matter of a second or two.
SOON = 20.0

# Holds the file open until its standard input ends; O_EXCL as a file system or a RAID would.
HOLD = "import os, sys; os.open(sys.argv[1], os.O_RDWR | int(sys.argv[2])); print('open', flush=True); sys.stdin.read()"

# Opens and closes whatever vhost-vdpa node it finds, as fast as it can. Not such as are just being made: this kernel
# shows a node before it has initialised what the node's closing needs, and whoever is so fast brings it down.
PESTER = """
import glob, os, signal, time
n = 0
def end(*_):
    print(n, flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
print("begun", flush=True)
while True:
    for path in glob.glob("/dev/vhost-vdpa-*"):
        try:
            if os.stat(path).st_ctime < time.time() - 0.5:
                os.close(os.open(path, os.O_RDWR))
                n += 1
        except OSError:
            pass
"""


class Holder:
    """Another process that has the file open, for the length of a with block or until close()."""

    def __init__(self, path, flags=0):
        self.process = subprocess.Popen([sys.executable, "-I", "-c", HOLD, path, str(flags)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"open\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.communicate()
        assert self.process.returncode == 0


def refuse_delete(api, name):
    """Asserts that the device is not deleted, and that this is said soon; returns in what words."""
    fast = Api(Connection().ask)
    fast.host()
    before = time.monotonic()
    detail = fast.delete(name).expect(409, "in-use").detail
    took = time.monotonic() - before
    print(f"refused after {took * 1000:.0f} ms")
    assert took < SOON
    # Whoever asks the kernel to delete such a device makes the whole host wait here.
    vdpa.run("vdpa", "dev", "show", timeout=SOON)
    return detail


def test_open_node(api):
    before = api.create("d", net(1))
    with Holder(before["status"]["endpoint"]) as holder:
        detail = refuse_delete(api, "d")
        assert f"process {holder.process.pid}" in detail
        api.create("other", net(2))
        agree(busy={"d"})
        api.delete("other").expect(204)
        refuse_delete(api, "d")
        after = agree(busy={"d"})["d"]
        assert {**after, "revision": before["revision"]} == before
    api.delete("d").expect(204)
    agree()


def test_holders_are_named(api):
    path = api.create("d", net(1))["status"]["endpoint"]
    assert api.get("/v1/devices/d?in_use=true").expect(200).json["status"]["in_use"] is False
    with Holder(path) as holder:
        named = {"kind": "process", "pid": holder.process.pid, "comm": "python3", "fd": 3}
        assert api.delete("d").expect(409, "in-use").json["holders"] == [named]
        status = api.get("/v1/devices/d?in_use=true").expect(200).json["status"]
        assert status["in_use"] is True and status["holders"] == [named]
        # All others are as quick as ever.
        many = crowd.run((("put", f"e{n}", net(n)) for n in range(20)), clients=4)
        assert set(many.values()) == {201}
        fast = Api(Connection().ask)
        assert {fast.get(f"/v1/devices/e{n % 20}").status for n in range(1000)} == {200}
        vdpa.run("vdpa", "dev", "show", timeout=SOON)
    api.delete("d").expect(204)


def test_loop_device_on_the_disk(api):
    """It neither holds the disk exclusively nor is it a process."""
    path = api.create("d", block(driver="virtio_vdpa"))["status"]["endpoint"]
    vdpa.run("modprobe", "loop")
    loop = vdpa.run("losetup", "--find", "--show", path).strip()
    try:
        answer = api.delete("d").expect(409, "in-use")
        assert answer.json["holders"] == [{"kind": "device", "name": loop.removeprefix("/dev/")}]
        agree()
    finally:
        vdpa.run("losetup", "--detach", loop)
    # It may take a moment to let go.
    vdpa.wait_for(lambda: api.delete("d").status == 204)
    agree()


def test_requests_that_wait_for_the_device_are_answered_too(api):
    """A DELETE that is refused must not have the next one on the same device wait for ever."""
    path = api.create("d", net(1))["status"]["endpoint"]
    with Holder(path):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(Api(Connection().ask).delete("d"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(vdpa.DEADLINE)
        assert len(answers) == 8
        for answer in answers:
            answer.expect(409, "in-use")
        agree(busy={"d"})


def test_user_does_not_notice_the_daemon(api):
    """Not its looks, its refusals, its restarts, nor its death: each could reset the device under a running VM."""
    before = api.create("d", net(1))
    with vhost.opened(before["status"]["endpoint"]) as fd:
        vhost.tell(fd, vhost.SET_STATUS, vhost.STATUS_IN_USE)
        refuse_delete(api, "d")
        service.restart()
        agree(busy={"d"})
        refuse_delete(api, "d")
        first = service.pid()
        service.kill()
        service.wait_restarted(first)
        agree(busy={"d"})
        api.put("d", net(1)).expect(200)
        assert vhost.ask(fd, vhost.GET_STATUS) == vhost.STATUS_IN_USE
    api.delete("d").expect(204)
    agree()


@pytest.mark.parametrize("flags", [0, os.O_EXCL], ids=["open", "exclusive"])
def test_open_block_device(api, flags):
    device = api.create("d", block(driver="virtio_vdpa"))
    with Holder(device["status"]["endpoint"], flags) as holder:
        detail = refuse_delete(api, "d")
        assert f"process {holder.process.pid}" in detail
        agree()
    api.delete("d").expect(204)
    agree()


def test_mounted_block_device(api):
    device = api.create("d", block(driver="virtio_vdpa"))
    path, mountpoint = device["status"]["endpoint"], pathlib.Path("/mnt")
    vdpa.run("mkfs.ext4", "-q", path)
    vdpa.run("mount", path, str(mountpoint))
    try:
        (mountpoint / "file").write_text("kept")
        refuse_delete(api, "d")
        assert {"kind": "mount", "name": "/mnt"} in api.delete("d").expect(409, "in-use").json["holders"]
        agree()
        assert (mountpoint / "file").read_text() == "kept"
    finally:
        vdpa.run("umount", str(mountpoint))
    api.delete("d").expect(204)
    agree()


def test_interface_in_another_network_namespace(api):
    interface = api.create("d", net(1, driver="virtio_vdpa"))["status"]["endpoint"]
    vdpa.run("ip", "netns", "add", "container")
    try:
        vdpa.run("ip", "link", "set", interface, "netns", "container")
        refuse_delete(api, "d")
        agree(busy={"d"})
        service.restart()
        refuse_delete(api, "d")
        agree(busy={"d"})
        assert interface in vdpa.run("ip", "-n", "container", "link", "show")
    finally:
        # The kernel gives the interface back then.
        vdpa.run("ip", "netns", "delete", "container")
    vdpa.wait_for(lambda: vdpa.netdev("d"))
    service.restart()
    agree()
    api.delete("d").expect(204)
    agree()


def delete_at_last(api, name):
    """Deletes a device that others open now and then; returns how often that was refused."""
    for refused in range(10_000):
        answer = api.delete(name)
        if answer.status == 204:
            return refused
        answer.expect(409, "in-use")
    raise AssertionError(f"{name} cannot be deleted")


def test_nodes_that_are_opened_and_closed_all_the_time(api):
    """The check that nobody uses it and the deletion are one, or this would hang the host sooner or later."""
    fast = Api(Connection().ask)
    for n in range(10):
        fast.create(f"d{n}", net(n))
    process = subprocess.Popen([sys.executable, "-I", "-c", PESTER], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"begun\n"
        n, end = 0, time.monotonic() + 60
        while n < 100 or time.monotonic() < end:
            delete_at_last(fast, f"d{n}")
            fast.create(f"d{n + 10}", net(n + 10))
            n += 1
        vdpa.run("vdpa", "dev", "show", timeout=SOON)
    finally:
        process.terminate()
        opened = int(process.communicate(timeout=vdpa.DEADLINE)[0])
    assert opened > 0
    assert len(agree()) == 10


def test_daemon_answers_while_the_kernel_is_stuck(api):
    """Someone else deletes a device of his own that is in use: no vDPA command is answered until it is closed."""
    vdpa.add("stuck", "vdpasim_net")
    node = vdpa.wait_for(lambda: vdpa.vhost_node("stuck"))
    vdpa.wait_for(node.exists)
    before = api.create("d", net(1))
    created = []
    creator = threading.Thread(target=lambda: created.append(Api(Connection(300).ask).put("late", net(2))))
    with Holder(str(node)) as holder:
        deletion = subprocess.Popen(["vdpa", "dev", "del", "stuck"])
        vdpa.wait_for(lambda: not node.exists())
        with pytest.raises(subprocess.TimeoutExpired):
            vdpa.run("vdpa", "dev", "show", timeout=2)

        creator.start()
        # It waits, or is refused if the kernel is known to be stuck.
        vdpa.wait_for(lambda: api.host()["operations"] == 1 or created)
        assert api.device("d") == before
        assert api.get("/healthz").status == 200
        assert list(api.mgmtdevs())
        holder.close()
        assert deletion.wait(vdpa.DEADLINE) == 0
        creator.join(vdpa.DEADLINE)
    assert created[0].status in (201, 503)
    agree()
