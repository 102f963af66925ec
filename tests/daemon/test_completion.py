# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion: what the program offers, and what bash and zsh make of it."""

import os
import pty
import re
import select
import shutil
import subprocess

import pytest

from ctl import PROGRAM, Ctl
from support import DEADLINE, TREE, poll, sim_section

pytestmark = pytest.mark.skipif(not PROGRAM, reason="there is no hsvdpactl: build it, or set HSVDPACTL")

CONFIG = sim_section("pci/0000:01:00.0", classes="net,block") + sim_section("sim0", classes="net,fs")


@pytest.fixture(scope="module")
def ctl(shared_daemon):
    """With more devices of some names than are offered."""
    ctl = Ctl(shared_daemon.socket)
    ctl("device", "create", "--count=120", "--prefix=vm", "--class=block")
    ctl("device", "create", "web", "web-a", "web-b", "--class=net")
    return ctl


def offered(ctl, *words):
    """What can stand at the place of the last word, without what it means."""
    return [line.split("\t")[0] for line in ctl("__complete", *words).splitlines()]


COMPLETIONS = [
    ([""], ["host", "capacity", "mgmtdev", "device", "pool", "drift", "event"]),
    (["de"], ["device"]),
    (["device", "s"], ["show", "set", "stats"]),
    (["bogus", ""], []),
    (["device", "bogus", ""], []),
    (["host", "s"], ["show"]),
    (["host", "--wat"], ["--watch"]),
    (["-o", ""], ["table", "wide", "json", "yaml"]),
    (["-o", "json", "host", "sh"], ["show"]),
    (["-ojson", "host", "sh"], ["show"]),
    (["--output=w"], ["--output=wide"]),
    (["device", "list", "--state", "l"], ["lost"]),
    (["device", "list", "--state=re"], ["--state=reserved", "--state=ready"]),
    (["device", "wait", "web", "--for", "g"], ["gone"]),
    (["device", "create", "--mgmtdev", ""], ["pci/0000:01:00.0", "sim0"]),
    (["device", "create", "--mgmtdev=p"], ["--mgmtdev=pci/0000:01:00.0"]),
    (["mgmtdev", "show", "s"], ["sim0"]),
    (["mgmtdev", "show", "sim0", ""], []),
    (["device", "create", "--class", "f"], ["fs"]),
    (["device", "create", "--driver", ""], ["vhost_vdpa", "virtio_vdpa"]),
    (["device", "create", "-f", ""], [":files"]),
    (["device", "create", "--owner", ""], []),
    (["drift", "list", "--kind", ""], ["missing", "extra", "changed", "foreign"]),
    (["drift", "repair", "--kind="], ["--kind=missing", "--kind=extra", "--kind=changed"]),
    (["drift", "repair", "web-"], ["web-a", "web-b"]),
    (["event", "watch", "web-"], ["web-a", "web-b"]),
    (["device", "set", "web", "--drift", "e"], ["enforce"]),
    (["device", "adopt", ""], []),
    (["device", "show", "web-"], ["web-a", "web-b"]),
    (["device", "show", "--", "web-"], ["web-a", "web-b"]),
    (["device", "show", "web-a", ""], []),
    (["device", "delete", "web", "web-"], ["web-a", "web-b"]),
    (["device", "show", "none"], []),
    (["--url", "unix:/nonexistent", "device", "show", ""], []),
]


@pytest.mark.parametrize("words, candidates", COMPLETIONS)
def test_words(ctl, words, candidates):
    assert offered(ctl, *words) == candidates


def test_options(ctl):
    options = offered(ctl, "device", "create", "-")
    assert {"--class", "--dry-run", "--output", "--help"} <= set(options)
    assert all(f"  {option}" in re.sub(r"-\w, ", "    ", ctl("device", "create", "--help")) for option in options)


def test_many_devices(ctl):
    """Whatever is typed next is offered, and no name of those that are left out can be missed."""
    assert offered(ctl, "device", "show", "") == ["v", "w", ":nospace"]
    # 112 of them: those that begin with vm, of which vm1 alone has a hundred and more behind it.
    letters = [f"vm{digit}" for digit in range(1, 10)]
    assert offered(ctl, "device", "show", "v") == [*letters, ":nospace"]
    assert offered(ctl, "device", "show", "vm11") == ["vm11", *(f"vm11{digit}" for digit in range(10))]


BASH = """
source "$1"
COMP_LINE=$2
COMP_POINT=${#COMP_LINE}
_hsvdpactl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def in_bash(ctl, line):
    """What bash gets for a command line."""
    script = TREE / "contrib/completion/bash/hsvdpactl"
    environment = {**ctl.environment, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    result = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", script, line],
        capture_output=True, text=True, timeout=DEADLINE, env=environment, cwd=TREE, check=True,
    )
    assert result.stderr == ""
    return result.stdout.split()


LINES = [
    ("hsvdpactl ", ["host", "capacity", "mgmtdev", "device", "pool", "drift", "event"]),
    ("hsvdpactl dev", ["device"]),
    ("hsvdpactl device show web-", ["web-a", "web-b"]),
    ("hsvdpactl  mgmtdev   show ", ["pci/0000:01:00.0", "sim0"]),
    # Bash takes "=" and ":" for the end of a word, and what stands before for done.
    ("hsvdpactl --output=", ["table", "wide", "json", "yaml"]),
    ("hsvdpactl --output=j", ["json"]),
    ("hsvdpactl mgmtdev show pci/0000:0", ["01:00.0"]),
    ("hsvdpactl device list --mgmtdev=pci/0000:01:", ["00.0"]),
    ("hsvdpactl device create --file contrib/quickst", ["contrib/quickstart"]),
    ("hsvdpactl device create --file=contrib/quickst", ["contrib/quickstart"]),
    ("hsvdpactl device show v", [f"vm{digit}" for digit in range(1, 10)]),
]


@pytest.mark.parametrize("line, candidates", LINES)
def test_bash(ctl, line, candidates):
    assert in_bash(ctl, line) == candidates


class Shell:
    """An interactive shell on a terminal."""

    def __init__(self, environment, *command):
        master, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command], stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=TREE
        )
        os.close(slave)
        self.master, self.seen = master, b""

    def type(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, text):
        def look():
            if select.select([self.master], [], [], 0.02)[0]:
                self.seen += os.read(self.master, 65536).replace(b"\a", b"")
            return text.encode() in self.seen

        poll(text, look)
        self.seen = b""

    def close(self):
        os.close(self.master)
        self.process.kill()
        self.process.wait(DEADLINE)


def press_tab(ctl, begin, *command):
    environment = {**ctl.environment, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "TERM": "dumb", "COLUMNS": "80"}
    shell = Shell(environment, *command)
    try:
        # The prompt is not in what the terminal echoes.
        shell.type(f"PS1='#''#''# '; {begin}\r")
        shell.wait_for("### ")
        shell.type("hsvdpactl dev\tsh\t--out\tj\tweb-\ta")
        shell.wait_for("hsvdpactl device show --output json web-a")
        shell.type("\r")
        shell.wait_for('"name":"web-a"')
    finally:
        shell.close()


def test_bash_with_keys(ctl):
    script = TREE / "contrib/completion/bash/hsvdpactl"
    press_tab(ctl, f"bind 'set enable-bracketed-paste off'; source {script}", "bash", "--norc", "-i")


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
def test_zsh_with_keys(ctl):
    directory = TREE / "contrib/completion/zsh"
    press_tab(ctl, f"fpath=({directory} $fpath); autoload -Uz compinit; compinit -u -D", "zsh", "-f", "-i")
