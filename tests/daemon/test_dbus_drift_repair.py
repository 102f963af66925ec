# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is not as it should be is put right, and devices of others are taken over: the tests of REST, asked over D-Bus."""

import pytest

pytest.importorskip("jeepney", reason="there is no jeepney (Debian: python3-jeepney)")

from test_drift_repair import *  # noqa: E402, F403
from bus import (  # noqa: E402, F401
    BusError, dictionary, fixture_bus, fixture_make_daemon, fixture_shared_daemon,
)


def test_wrong_options(make_daemon, bus):
    make_daemon().start()
    with bus.connect() as connection:
        for name, value in (("devices", ["A"]), ("kinds", ["foreign"]), ("recreate", "x"), ("dry-run", 1), ("other", 1)):
            with pytest.raises(BusError, match=f"InvalidRequest.*/options/{name}"):
                connection.manager("RepairDrift", "a{sv}", dictionary({name: value}))
        for name, spec, options, pointer in (("A", {}, {}, "/name"), ("a", {}, {"x": 1}, "/options/x")):
            with pytest.raises(BusError, match=f"InvalidRequest.*{pointer}"):
                connection.manager("AdoptDevice", "sa{sv}a{sv}", name, dictionary(spec), dictionary(options))
        with pytest.raises(BusError, match="DeviceNotFound"):
            connection.manager("AdoptDevice", "sa{sv}a{sv}", "nobody", {}, {})
