# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the service may do: what it needs, and no more. And who may use it."""

import os
import pathlib
import re
import subprocess

import pytest

import rest
import service
import vdpa
import vhost
from agreement import agree
from rest import net

CAPABILITIES = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3, "CAP_NET_ADMIN": 12, "CAP_SYS_PTRACE": 19}


def test_runs_as_its_own_user(api):
    status = dict(re.findall(r"^(\w+):\s*(.*)$", pathlib.Path(f"/proc/{service.pid()}/status").read_text(), re.M))
    assert "0" not in status["Uid"].split() + status["Gid"].split()
    wanted = sum(1 << number for number in CAPABILITIES.values())
    assert {int(status[f"Cap{kind}"], 16) for kind in ("Prm", "Eff", "Bnd")} == {wanted}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert oct(service.STATE.stat().st_mode & 0o777) == "0o700"


def test_exposure(api):
    table = vdpa.run("systemd-analyze", "security", "--no-pager", service.UNIT)
    assert float(re.search(r"exposure level for \S+: (\S+)", table)[1]) <= 2.0, table


def test_units_are_right(api):
    units = [service.UNIT, service.SOCKET_UNIT, "hsvdpa-restored.target"]
    # It would ask man(1) for the pages, which is not in the machine.
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    pages = re.findall(r"man:([\w.-]+)\((\d)\)", vdpa.run("systemctl", "show", "--property=Documentation", *units))
    assert len(pages) >= 5
    for page, section in pages:
        assert list(pathlib.Path(f"/usr/share/man/man{section}").glob(f"{page}.{section}*")), page


def without(capability):
    return service.drop_in(f"[Service]\nCapabilityBoundingSet=~{capability}\nAmbientCapabilities=~{capability}\n")


@pytest.mark.parametrize("capability", ["CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"])
def test_capability_is_needed(api, capability):
    """Without it a device cannot be made for a user; nothing is left of the attempt but what cannot be undone."""
    with without(capability):
        service.restart()
        answer = api.put("d", net(1, endpoint={"uid": 107, "gid": 107, "mode": "0660"}))
        assert answer.status >= 500, answer.body
    service.restart()
    api.delete("d", "?missing_ok=true").expect(204)
    agree()


def test_ptrace_is_needed(api):
    """Without it nobody can be told who has a device open."""
    device = api.create("d", net(1))
    with vhost.opened(device["status"]["endpoint"]):
        assert f"process {os.getpid()}" in api.delete("d").expect(409, "in-use").detail
        with without("CAP_SYS_PTRACE"):
            service.restart()
            assert "process" not in api.delete("d").expect(409, "in-use").detail
    service.restart()
    agree()


def ask_as(user, *groups):
    """What curl(1) comes to, run by the user with the groups."""
    groups = [f"--groups={','.join(groups)}"] if groups else ["--clear-groups"]
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", *groups, "curl", "--silent", "--show-error",
               "--unix-socket", rest.SOCKET, "http://localhost/v1/host"]
    return subprocess.run(command, capture_output=True, text=True)


def test_who_may_connect(api):
    for user, groups in (("root", []), ("nobody", ["hsvdpa"])):
        done = ask_as(*([user] if user == "root" else ["65534"]), *groups)
        assert done.returncode == 0 and '"version"' in done.stdout, done.stderr
    done = ask_as("65534")
    assert done.returncode == 7 and not done.stdout
    assert oct(os.stat(rest.SOCKET).st_mode & 0o777) == "0o660"
