# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pools: the tests of REST, asked over D-Bus."""

import pytest

pytest.importorskip("jeepney", reason="there is no jeepney (Debian: python3-jeepney)")

from test_pools import *  # noqa: E402, F403
from bus import fixture_bus, fixture_make_daemon, fixture_shared_daemon  # noqa: E402, F401
