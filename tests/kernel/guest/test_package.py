# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of the Debian packages, with devices on the host all the while: installed, upgraded, removed, installed again,
purged. The tests are steps of it, in this order; each begins with what the one before has left."""

import grp
import pathlib
import pwd
import re
import subprocess

import pytest

import crowd
import service
import vdpa
import vhost
from agreement import agree
from rest import SOCKET, Api, block, net

PACKAGES = pathlib.Path("/packages")
NEWER = pathlib.Path("/tmp/newer-packages")
UNIT_FILE = pathlib.Path(f"/lib/systemd/system/{service.UNIT}")

if not PACKAGES.is_dir():
    pytest.skip("the machine runs without --packages", allow_module_level=True)

NAMES = sorted(path.name.partition("_")[0] for path in PACKAGES.glob("*.deb"))


def dpkg(*words):
    # TERM and a terminal are not there, and nobody could be asked.
    return vdpa.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *words, timeout=4 * vdpa.DEADLINE)


def install(directory):
    return dpkg("--install", *map(str, sorted(directory.glob("*.deb"))))


def installed():
    """The versions of our packages, of those that are installed in full."""
    shown = subprocess.run(["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Abbrev}${Version}\n", *NAMES],
                           capture_output=True, text=True).stdout
    lines = (line.split() for line in shown.splitlines())
    return {words[0]: words[2] for words in lines if words[1] == "ii"}


def make_newer():
    """The same packages with a higher version, as a rebuild of the same source would have it."""
    for path in PACKAGES.glob("*.deb"):
        tree = NEWER / path.stem
        tree.mkdir(parents=True)
        vdpa.run("dpkg-deb", "--raw-extract", str(path), str(tree))
        control = tree / "DEBIAN/control"
        version = re.search("^Version: (.*)$", control.read_text(), re.MULTILINE)[1]
        control.write_text(control.read_text().replace(version, version + "+rebuilt"))
        vdpa.run("dpkg-deb", "--build", "--root-owner-group", "-Zgzip", str(tree), str(NEWER), timeout=2 * vdpa.DEADLINE)


def is_enabled():
    return subprocess.run(["systemctl", "is-enabled", service.UNIT], capture_output=True, text=True).stdout.strip()


def inodes():
    """What would be another if a device had been made again."""
    return {name: (vdpa.BUS / "devices" / name).stat().st_ino for name in vdpa.names()}


@pytest.fixture(scope="module", autouse=True)
def left_over():
    yield
    subprocess.run(["dpkg", "--purge", *NAMES], capture_output=True)
    for name in vdpa.devices():
        vdpa.delete(name)


def test_install():
    assert not UNIT_FILE.exists() and not pathlib.Path(service.PROGRAM).exists()
    install(PACKAGES)
    assert sorted(installed()) == NAMES and {"hsvdpa", "libhsvdpa0"} <= set(NAMES)
    assert is_enabled() == "enabled" and service.is_active()
    assert service.show("Result") == "success" and service.show("NRestarts") == "0"
    assert installed()["hsvdpa"].startswith(vdpa.run("hsvdpactl", "--version").split()[1])

    api = Api()
    vdpa.wait_for(api.is_ready)
    for name, spec in {"vm": net(1), "container": net(2, driver="virtio_vdpa"), "disk": block()}.items():
        api.create(name, spec)
    agree()
    assert "vm" in vdpa.run("hsvdpactl", "device", "list")


def test_what_debian_would_test():
    """The package's own test, as autopkgtest(1) would run it; the other one wants a compiler."""
    script = PACKAGES / "autopkgtest/smoke"
    if not script.exists():
        pytest.skip("the packages came without debian/tests")
    said = subprocess.run(["sh", str(script)], capture_output=True, text=True, timeout=2 * vdpa.DEADLINE)
    assert said.returncode == 0, said.stdout + said.stderr
    # The real daemon and its devices were not touched.
    assert set(agree()) == {"vm", "container", "disk"}


def test_upgrade():
    """Nobody notices: not who uses a device, nor who asks for one at that moment."""
    make_newer()
    before, made, first, versions = agree(), inodes(), service.pid(), installed()
    calls = [("put", f"new{n}", net(100 + n)) for n in range(40)]
    with vhost.opened(vdpa.vhost_node("vm")) as fd:
        vhost.tell(fd, vhost.SET_STATUS, vhost.STATUS_IN_USE)
        clients = crowd.Crowd(calls, clients=2).start()
        install(NEWER)
        outcome = clients.join()
        assert vhost.ask(fd, vhost.GET_STATUS) == vhost.STATUS_IN_USE
        assert installed() == {name: version + "+rebuilt" for name, version in versions.items()}
        assert service.is_active() and service.pid() != first

    vdpa.wait_for(Api().is_ready)
    devices = agree()
    assert {name: devices[name] for name in before} == before
    assert {name: inode for name, inode in inodes().items() if name in made} == made
    # What was answered with 201 is there; what had no answer may be.
    assert {status for status in outcome.values()} <= {201, 503, None} and 201 in outcome.values()
    assert {name for name, status in outcome.items() if status == 201} <= set(devices)
    for name in outcome:
        Api().delete(name, "?missing_ok=true").expect(204)


def test_removal():
    """The daemon stops by itself, in good order; its devices stay, and with them what is known of them."""
    before, made = agree(), inodes()
    cursor = service.journal_cursor()
    dpkg("--remove", *NAMES)
    assert installed() == {}
    said = service.journal(cursor)
    assert "Deactivated successfully" in said or "Succeeded" in said, said
    assert not UNIT_FILE.exists() and not pathlib.Path(SOCKET).exists()
    assert not service.is_active() and not pathlib.Path("/usr/sbin/hsvdpad").exists()
    assert inodes() == made and service.DATABASE.exists()
    with vhost.opened(vdpa.vhost_node("vm")) as fd:
        vhost.tell(fd, vhost.SET_STATUS, vhost.STATUS_IN_USE)

    install(PACKAGES)
    vdpa.wait_for(Api().is_ready)
    assert agree() == before


def test_purge():
    made, groups, users = inodes(), grp.getgrall(), pwd.getpwall()
    service.CONFIG.parent.mkdir(exist_ok=True)
    service.CONFIG.write_text("")
    dpkg("--purge", *NAMES)
    for directory in (service.STATE, service.CONFIG.parent, pathlib.Path(SOCKET).parent):
        assert not directory.exists()
    shown = subprocess.run(["dpkg-query", "--show", *NAMES], capture_output=True, text=True)
    assert "hsvdpa" not in shown.stdout
    assert "hsvdpad" not in vdpa.run("systemctl", "list-unit-files", "--no-pager")
    assert not [path for path in pathlib.Path("/var/lib/systemd").rglob("*hsvdpad*")]
    assert inodes() == made
    # Or else their numbers could become another's, with what is still their own.
    assert grp.getgrall() == groups and pwd.getpwall() == users
