# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs hsvdpactl."""

import json
import subprocess

from daemon import Daemon
from support import DEADLINE, find_program

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


def table(text):
    """The rows of a table, each as a dictionary by the titles; no cell here has a blank in it."""
    titles, *rows = [line.split() for line in text.splitlines()]
    return [dict(zip(titles, row)) for row in rows]
