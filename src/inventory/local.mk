# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/inventory/budget.c src/inventory/budget.h \
	src/inventory/capacity.c src/inventory/capacity.h \
	src/inventory/class.c src/inventory/class.h \
	src/inventory/device.c src/inventory/device.h \
	src/inventory/device-json.c src/inventory/device-json.h \
	src/inventory/drift.c src/inventory/drift.h \
	src/inventory/error.c src/inventory/error.h \
	src/inventory/feature.c src/inventory/feature.h \
	src/inventory/feature-json.c src/inventory/feature-json.h \
	src/inventory/foreign-device.c src/inventory/foreign-device.h \
	src/inventory/foreign.c src/inventory/foreign.h \
	src/inventory/journal.c src/inventory/journal.h \
	src/inventory/idlist.c src/inventory/idlist.h \
	src/inventory/idset.c src/inventory/idset.h \
	src/inventory/holder.c src/inventory/holder.h \
	src/inventory/user.c src/inventory/user.h \
	src/inventory/inventory.c src/inventory/inventory.h \
	src/inventory/mgmtdev.c src/inventory/mgmtdev.h \
	src/inventory/mgmtdev-json.c src/inventory/mgmtdev-json.h \
	src/inventory/owner.c src/inventory/owner.h \
	src/inventory/pci.c src/inventory/pci.h \
	src/inventory/needs.c src/inventory/needs.h \
	src/inventory/pool-json.c \
	src/inventory/pool-json.h \
	src/inventory/pool.c \
	src/inventory/pool.h \
	src/inventory/resource.c src/inventory/resource.h \
	src/inventory/settings.c src/inventory/settings.h \
	src/inventory/space.c src/inventory/space.h \
	src/inventory/spec.c src/inventory/spec.h \
	src/inventory/spec-json.c src/inventory/spec-json.h \
	src/inventory/spec-parts.c src/inventory/spec-parts.h \
	src/inventory/vq-groups.c src/inventory/vq-groups.h
