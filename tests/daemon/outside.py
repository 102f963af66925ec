# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another program on the simulated host, which changes its devices behind the daemon's back (docs/drift.md)."""

import json
import re
import socket

from support import DEADLINE


class Refused(Exception):
    """The host does not do that."""


class Outside:
    def __init__(self, daemon):
        self.path = str(daemon.runtime_dir / "sim.sock")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.settimeout(DEADLINE)
        self.sock.bind("")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *words):
        """Without an answer, like hints of the kernel."""
        self.sock.sendto(" ".join(words).encode(), self.path)
        return self

    def answer(self):
        return self.sock.recv(4096).decode()

    def ask(self, *words):
        answer = self.send(*words).answer()
        if not answer.startswith("ok"):
            raise Refused(answer)
        return answer

    def add(self, name, mgmtdev, spec, how=()):
        self.ask(*how, "add", name, mgmtdev, json.dumps(spec))

    def delete(self, name, how=()):
        self.ask(*how, "del", name)

    def show(self, name):
        """All there is to see of a device, its place in the hardware included; None if there is none."""
        try:
            return dict(re.findall(r"(\w+)=(\S+)", self.ask("show", name)))
        except Refused:
            return None
