# SPDX-License-Identifier: LGPL-2.1-or-later
"""The crash matrix on simulated hardware: the daemon dies at each named point (src/util/crash-points.def) in each scenario
that comes by it, and everything that was promised is so after the next start; nothing is lost, nothing leaks."""

import collections
import contextlib
import functools
import re
import signal

import pytest

pytest.importorskip("jeepney", reason="there is no jeepney (Debian: python3-jeepney)")

from bus import Bus, BusDaemon  # noqa: E402
from conftest import daemons, temporary_directory  # noqa: E402
from daemon import CRASH_PROGRAM, Daemon  # noqa: E402
from scenarios import SCENARIOS, World, play, recover  # noqa: E402
from support import LONG, SLOW, TREE  # noqa: E402

pytestmark = pytest.mark.skipif(not CRASH_PROGRAM, reason="there is no hsvdpad-crash: make check builds it")

# Each time counts that the writer commits; of the others the first and the last time, and all of them if there is time.
EACH_TIME = ("STORE_",)

# By kind of place, for want of time: the first scenario that comes by it stands for all.
ONE_SCENARIO = SLOW and not LONG


def read_points():
    line = re.compile(r"^DEFINE\((\w+), (any|sim|kernel), ", re.MULTILINE)
    return dict(line.findall((TREE / "src/util/crash-points.def").read_text()))


POINTS = read_points()
HERE = [name for name, where in POINTS.items() if where != "kernel"]


class Matrix:
    def __init__(self, bus):
        self.bus = bus
        self.traces = {}

    @contextlib.contextmanager
    def world(self, scenario):
        """With a daemon in a directory of its own."""
        kind = functools.partial(BusDaemon, bus=self.bus) if scenario.needs_bus else Daemon
        with daemons(kind) as make:
            yield World(make(), self.bus if scenario.needs_bus else None)

    def trace(self, name):
        """The points that the scenario comes by, and how often each."""
        if name not in self.traces:
            with self.world(SCENARIOS[name]) as world:
                path = world.daemon.directory / "trace"
                assert not play(SCENARIOS[name], world, HSVDPA_CRASH_TRACE=str(path)), world.daemon.log()
                world.audit()
                world.stop()
                self.traces[name] = collections.Counter(path.read_text().split())
        return self.traces[name]

    def is_first(self, name, point):
        """Whether no scenario before that comes by the point."""
        return name == next(other for other in SCENARIOS if point in self.trace(other))

    def die(self, scenario, point, n):
        """Returns whether it did. What follows from an answer may come sooner or later, and a point less often then."""
        with self.world(scenario) as world:
            if not play(scenario, world, HSVDPA_CRASH=f"{point}:{n}"):
                world.daemon.terminate()
            status = world.daemon.wait()
            if status == 0:
                assert n > 1, f"{point} was not reached"
                return False
            assert status == -signal.SIGKILL
            recover(scenario, world)
            return True


@pytest.fixture(scope="module")
def matrix():
    with temporary_directory() as directory:
        bus = Bus(directory)
        try:
            yield Matrix(bus)
        finally:
            bus.stop()


def times(point, n):
    if LONG or point.startswith(EACH_TIME):
        return range(1, n + 1)
    return [1] if ONE_SCENARIO else sorted({1, n})


@pytest.mark.parametrize("name", SCENARIOS)
def test_matrix(matrix, name):
    n_deaths = 0
    for point, n_reached in matrix.trace(name).items():
        if ONE_SCENARIO and not matrix.is_first(name, point):
            continue
        for n in times(point, n_reached):
            try:
                n_deaths += matrix.die(SCENARIOS[name], point, n)
            except Exception as error:
                raise AssertionError(f"{name}, {point}, time {n} of {n_reached}: {error}") from error
    print(f"{name}: died {n_deaths} times, at {len(matrix.trace(name))} points")


def test_every_point_is_reached(matrix):
    """Who adds a point finds a scenario for it, or makes one."""
    assert set().union(*(matrix.trace(name) for name in SCENARIOS)) == set(HERE)
