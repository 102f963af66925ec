# SPDX-License-Identifier: LGPL-2.1-or-later
"""The limits that are not of HTTP: the tests of REST, asked over D-Bus."""

import pytest

pytest.importorskip("jeepney", reason="there is no jeepney (Debian: python3-jeepney)")

from test_limits import (  # noqa: E402, F401
    test_max_devices, test_max_operations, test_the_start_is_not_limited,
)
from bus import fixture_bus, fixture_make_daemon, fixture_shared_daemon  # noqa: E402, F401
