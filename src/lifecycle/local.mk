# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/lifecycle/candidate.c src/lifecycle/candidate.h \
	src/lifecycle/context.h \
	src/lifecycle/create.c src/lifecycle/create.h \
	src/lifecycle/delete.c src/lifecycle/delete.h \
	src/lifecycle/device-listing.c src/lifecycle/device-listing.h \
	src/lifecycle/device-patch.c src/lifecycle/device-patch.h \
	src/lifecycle/host-json.c src/lifecycle/host-json.h \
	src/lifecycle/grow.c src/lifecycle/grow.h \
	src/lifecycle/job.c src/lifecycle/job.h \
	src/lifecycle/lifecycle.c src/lifecycle/lifecycle.h \
	src/lifecycle/load.c src/lifecycle/load.h \
	src/lifecycle/machine.c src/lifecycle/machine.h \
	src/lifecycle/mgmtdev-patch.c src/lifecycle/mgmtdev-patch.h \
	src/lifecycle/mgmtdev-update.c src/lifecycle/mgmtdev-update.h \
	src/lifecycle/operation.c src/lifecycle/operation.h \
	src/lifecycle/placement.c src/lifecycle/placement.h \
	src/lifecycle/placement-json.c src/lifecycle/placement-json.h \
	src/lifecycle/record.c src/lifecycle/record.h \
	src/lifecycle/recovery.c src/lifecycle/recovery.h \
	src/lifecycle/release.c src/lifecycle/release.h \
	src/lifecycle/scan.c src/lifecycle/scan.h \
	src/lifecycle/sriov-json.c src/lifecycle/sriov-json.h \
	src/lifecycle/stats.c src/lifecycle/stats.h \
	src/lifecycle/update.c src/lifecycle/update.h \
	src/lifecycle/verb.c src/lifecycle/verb.h
