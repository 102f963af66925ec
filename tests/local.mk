# SPDX-License-Identifier: LGPL-2.1-or-later

# What a test program is made of, unless it says otherwise: its one file, the daemon's own objects, and Check.
LDADD = $(HSVDPAD_LIBS) $(CHECK_LIBS)
UNIT_CFLAGS = $(libhsvdpad_a_CFLAGS) $(CHECK_CFLAGS)

include tests/unit/local.mk

dist_check_SCRIPTS += tests/check-layering tests/check-layering-self tests/check-daemon tests/check-library tests/check-man
TESTS += $(check_PROGRAMS) tests/check-layering tests/check-layering-self tests/check-daemon tests/check-library tests/check-man

# A test never leaves its directory for the machine: no configuration, no running daemon.
AM_TESTS_ENVIRONMENT = \
	HSVDPAD='$(abs_top_builddir)/hsvdpad'; export HSVDPAD; \
	HSVDPACTL='$(abs_top_builddir)/hsvdpactl'; export HSVDPACTL; \
	CC='$(CC)'; export CC; \
	CK_FORK=yes; export CK_FORK;

EXTRA_DIST += $(srcdir)/tests/daemon/*.py
