# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is not as it should be: the tests of REST, asked over D-Bus."""

import pytest

pytest.importorskip("jeepney", reason="there is no jeepney (Debian: python3-jeepney)")

from test_drift import *  # noqa: E402, F403
from bus import (  # noqa: E402, F401
    BusError, dictionary, fixture_bus, fixture_make_daemon, fixture_shared_daemon,
)

# A value that is null there is left out here, and the pointers of a wrong query are other ones.
del test_changed, test_wrong_queries  # noqa: F821


def test_wrong_filters(make_daemon, bus):
    make_daemon().start()
    with bus.connect() as connection:
        for name, value in (("limit", 0), ("limit", 1001), ("kinds", ["x"]), ("kinds", "missing"), ("continue", "x"),
                            ("mgmtdev", "a/b/c"), ("refresh", "x"), ("other", 1)):
            with pytest.raises(BusError, match=f"InvalidRequest.*/filter/{name}"):
                connection.manager("ListDrift", "a{sv}", dictionary({name: value}))
        assert connection.manager("ListDrift", "a{sv}", dictionary({"kinds": ["missing"], "refresh": True}))[:2] == ([], "")
