# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the document says of values: the tests of REST, asked over D-Bus."""

import pytest

pytest.importorskip("jeepney", reason="there is no jeepney (Debian: python3-jeepney)")

from test_contract import (  # noqa: E402, F401
    test_the_classes_are_those_of_the_daemon, test_the_defaults_are_those_of_the_daemon,
    test_the_largest_page_is_that_of_the_host, test_the_lengths_are_those_of_the_daemon,
    test_the_ranges_are_those_of_the_daemon, test_the_words_are_those_of_the_daemon,
)
from bus import fixture_bus, fixture_make_daemon, fixture_shared_daemon  # noqa: E402, F401
