# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon of a test's own, in a directory of its own, on simulated management devices."""

import os
import re
import signal
import subprocess

import checker
from client import Client
from support import DEADLINE, WRAPPER, find_program, poll

PROGRAM = find_program("HSVDPAD", "hsvdpad")
# The same with places to die at, of which the environment names one.
CRASH_PROGRAM = find_program("HSVDPAD_CRASH", "hsvdpad-crash")

SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "strict_string_checks=1:detect_stack_use_after_return=1"
    ":check_initialization_order=1:strict_init_order=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:print_summary=1:halt_on_error=1",
}

# A test never leaves its directory for the machine.
NO_BUS = "unix:path=/nonexistent"

REPORT = re.compile(
    r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:|Assertion .* failed"
    r"|ERROR SUMMARY: [1-9]"
)

# Of manager.h.
EXIT_USAGE = 64
EXIT_DATABASE = 65
EXIT_OTHER_DAEMON = 75
EXIT_CONFIG = 78


class Daemon:
    """Made by the fixture make_daemon(), which also ends it and looks whether all was well."""

    def __init__(self, directory, config=""):
        self.directory = directory
        self.state_dir = directory / "state"
        self.runtime_dir = directory / "run"
        self.config_path = directory / "hsvdpad.conf"
        self.log_path = directory / "log"
        self.socket = self.runtime_dir / "api.sock"
        self.database = self.state_dir / "inventory.db"
        self.process = None
        self.program = PROGRAM
        self.configure(config)

    def configure(self, config):
        """What the next start finds in its configuration file."""
        self.config_path.write_text(config)

    def command(self, *arguments):
        paths = {"config": self.config_path, "state-dir": self.state_dir, "runtime-dir": self.runtime_dir}
        options = [f"--{option}={path}" for option, path in paths.items()]
        return [*WRAPPER, str(self.program), "--backend=sim", *options, *arguments]

    @staticmethod
    def environment(**more):
        return {**SANITIZER_OPTIONS, **os.environ, "DBUS_SYSTEM_BUS_ADDRESS": NO_BUS, **more}

    def spawn(self, *arguments, **environment):
        """Starts it and does not wait."""
        assert self.process is None
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(*arguments),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(**environment),
            )

    def start(self, *arguments, **environment):
        """Starts it and waits until it takes work."""
        self.spawn(*arguments, **environment)
        poll("ready daemon", self.is_ready)
        return self.client()

    def get_status(self, path):
        """What a GET is answered with; None while nobody listens."""
        assert self.process.poll() is None, f"the daemon ended with {self.process.returncode}:\n{self.log()}"
        try:
            return self.client().get(path).status
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def is_listening(self):
        return self.get_status("/healthz") == 200

    def is_ready(self):
        return self.get_status("/readyz") == 200

    def run(self, *arguments, **environment):
        """Runs it to its end, which comes by itself: when it cannot start, or is only asked something."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            env=self.environment(**environment),
            check=False,
        )

    def client(self):
        return Client(self.socket)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def terminate(self):
        """Asks it to stop and does not wait."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        """Waits for its end; returns the exit status."""
        process, self.process = self.process, None
        try:
            return process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def stop(self):
        self.terminate()
        status = self.wait()
        assert status == 0, f"the daemon ended with {status}:\n{self.log()}"

    def kill9(self):
        self.process.kill()
        assert self.wait() == -signal.SIGKILL

    def restart(self):
        self.stop()
        return self.start()

    def check(self):
        """Asserts that what it says of its resources can be so, if it can be asked."""
        try:
            if self.is_ready():
                checker.check_connection(checker.Connection(f"unix:{self.socket}", timeout=5), patience=2)
        except (OSError, checker.Busy, checker.http.client.HTTPException) as error:
            print(f"--- not checked: {error!r}")

    def close(self):
        """Ends it if it runs; asserts that all was well with it at its end and that it has not complained of itself."""
        if self.process and self.process.poll() is None:
            self.check()
        if self.process:
            self.stop()
        report = REPORT.search(self.log())
        assert not report, self.log()[report.start():]
