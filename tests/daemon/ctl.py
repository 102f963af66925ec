# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs hsvdpactl."""

import contextlib
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios

from daemon import Daemon
from support import DEADLINE, find_program, poll

PROGRAM = find_program("HSVDPACTL", "hsvdpactl")

OK, REFUSED, USAGE, UNREACHABLE, NOT_FOUND, NO_ANSWER, LOCAL, PARTIAL, TIMEOUT = range(9)


class Ctl:
    def __init__(self, address):
        self.environment = Daemon.environment(HSVDPA_URL=f"unix:{address}", COLUMNS="200")

    def run(self, *arguments, stdin=""):
        return subprocess.run(
            [PROGRAM, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            env=self.environment,
            check=False,
        )

    def spawn(self, *arguments):
        """Starts it and does not wait; its output can be read."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    @contextlib.contextmanager
    def spawning(self):
        """A function that spawns; what it has started ends with it."""
        processes = []

        def spawn(*arguments):
            processes.append(self.spawn(*arguments))
            return processes[-1]

        yield spawn
        for process in processes:
            process.kill()
            process.communicate(timeout=DEADLINE)

    def on_terminal(self, *arguments):
        """What a user would see, and the exit code."""
        terminal = Terminal(self, *arguments)
        return terminal.read_all(), terminal.close()

    def __call__(self, *arguments, expect=OK, stdin=""):
        """Runs a command, which must exit so; returns what it prints, or its complaint if it is to fail."""
        result = self.run(*arguments, stdin=stdin)
        assert result.returncode == expect, f"{result.returncode}: {result.stdout}{result.stderr}"
        if expect == OK:
            assert result.stderr == ""
            return result.stdout
        assert result.stdout == "" and result.stderr.startswith("hsvdpactl")
        return result.stderr

    def json(self, *arguments, stdin=""):
        return json.loads(self(*arguments, "-o", "json", stdin=stdin))


class Terminal:
    """A command on a terminal of its own, 24 lines high."""

    def __init__(self, ctl, *arguments):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {**ctl.environment, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(
            [PROGRAM, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        os.close(slave)
        self.seen = b""

    def read(self):
        """Takes what is there; returns true at the end."""
        if select.select([self.master], [], [], 0.05)[0]:
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:
                return True
        return False

    def read_all(self):
        poll("end of the terminal", self.read)
        return self.seen.decode()

    def read_until(self, text):
        """Waits until it is on the terminal; returns what has come since the last time."""

        def look():
            self.read()
            return text.encode() in self.seen

        poll(text, look)
        seen, self.seen = self.seen, b""
        return seen.decode()

    def close(self):
        """Ends it if it has not ended; returns the exit code."""
        os.close(self.master)
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait(DEADLINE)


def table(text):
    """The rows of a table, each as a dictionary by the titles; no cell here has a blank in it."""
    titles, *rows = [line.split() for line in text.splitlines()]
    return [dict(zip(titles, row)) for row in rows]
