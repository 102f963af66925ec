# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many devices in one call: the tests of REST, asked over D-Bus."""

import pytest

pytest.importorskip("jeepney", reason="there is no jeepney (Debian: python3-jeepney)")

from test_batch import (  # noqa: E402, F401
    test_atomic, test_atomic_and_full, test_bad, test_create_and_delete, test_delete_options, test_mixed,
)
from bus import fixture_bus, fixture_make_daemon, fixture_shared_daemon  # noqa: E402, F401
