# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 at random instants under load: what was acknowledged holds, and nothing leaks."""

import kills
from support import LONG, scaled

# The long one takes about half an hour where nothing else runs.
RUNS = 10_000 if LONG else scaled(150)


def test_random_kills(make_daemon):
    done = kills.kill(make_daemon(kills.CONFIG), RUNS, seed=1)
    print(done.report())
    assert not done.damages, "\n".join(done.damages[:50])
    assert done.counts["runs"] == RUNS and done.counts["kills"] >= RUNS
    assert done.promises.n_answers > RUNS and done.claims.n_answers > RUNS
