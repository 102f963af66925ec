# SPDX-License-Identifier: LGPL-2.1-or-later

# What a test program is made of, unless it says otherwise: its one file, what tests share, the daemon's own objects,
# and Check. Its flags are AM_CFLAGS.
LDADD = tests/unit/libunit.a $(HSVDPAD_LIBS) $(CHECK_LIBS)

include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk

# The daemon once more, with places to die at (src/util/crash.h): the sources that have some are compiled anew, and all
# the rest is the daemon's own. tests/check-crash-points sees to it that the list is whole.
EXTRA_PROGRAMS += hsvdpad-crash
check_DATA += hsvdpad-crash$(EXEEXT)
CLEANFILES += hsvdpad-crash$(EXEEXT)
hsvdpad_crash_SOURCES = \
	src/daemon/main.c \
	src/kernel/autoprobe.c src/kernel/detached.c src/kernel/endpoint.c src/kernel/creation.c src/kernel/kernel.c src/kernel/release.c src/kernel/device-notes.c \
	src/lifecycle/claim.c src/lifecycle/create.c src/lifecycle/delete.c src/lifecycle/grow.c src/lifecycle/machine.c \
	src/lifecycle/mgmtdev-update.c src/lifecycle/pool.c src/lifecycle/recovery.c src/lifecycle/release.c src/lifecycle/return.c src/lifecycle/update.c \
	src/sim/model-device.c src/sim/model-file.c src/sim/sim-assign.c src/sim/sim.c \
	src/store/schema.c src/store/store.c \
	src/util/crash.c
hsvdpad_crash_CFLAGS = $(libhsvdpad_a_CFLAGS)
hsvdpad_crash_CPPFLAGS = $(AM_CPPFLAGS) -DCRASH_POINTS
hsvdpad_crash_LDFLAGS = $(AM_LDFLAGS) -pie
hsvdpad_crash_LDADD = $(HSVDPAD_LIBS)

# For tests of an installed daemon, beside it; never a part of an installation.
install-crash: hsvdpad-crash$(EXEEXT)
	$(MKDIR_P) '$(DESTDIR)$(libexecdir)/hsvdpa-tests'
	$(INSTALL_PROGRAM) hsvdpad-crash$(EXEEXT) '$(DESTDIR)$(libexecdir)/hsvdpa-tests/hsvdpad-crash'
.PHONY: install-crash

dist_check_SCRIPTS += tests/check-layering tests/check-layering-self tests/check-crash-points tests/check-crash-points-self \
	tests/check-model tests/check-daemon tests/check-library tests/check-man
TESTS += $(check_PROGRAMS) tests/check-layering tests/check-layering-self tests/check-crash-points tests/check-crash-points-self \
	tests/check-model tests/check-daemon tests/check-library tests/check-man

# A test never leaves its directory for the machine: no configuration, no running daemon.
AM_TESTS_ENVIRONMENT = \
	HSVDPAD='$(abs_top_builddir)/hsvdpad'; export HSVDPAD; \
	HSVDPAD_CRASH='$(abs_top_builddir)/hsvdpad-crash'; export HSVDPAD_CRASH; \
	HSVDPACTL='$(abs_top_builddir)/hsvdpactl'; export HSVDPACTL; \
	CC='$(CC)'; export CC; \
	CK_FORK=yes; export CK_FORK;

EXTRA_DIST += $(srcdir)/tests/daemon/*.py tests/model/device.pml
