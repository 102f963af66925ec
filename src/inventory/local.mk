# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/inventory/class.c src/inventory/class.h \
	src/inventory/device.c src/inventory/device.h \
	src/inventory/device-json.c src/inventory/device-json.h \
	src/inventory/error.c src/inventory/error.h \
	src/inventory/feature.c src/inventory/feature.h \
	src/inventory/idlist.c src/inventory/idlist.h \
	src/inventory/idset.c src/inventory/idset.h \
	src/inventory/inventory.c src/inventory/inventory.h \
	src/inventory/mgmtdev.c src/inventory/mgmtdev.h \
	src/inventory/mgmtdev-json.c src/inventory/mgmtdev-json.h \
	src/inventory/pci.c src/inventory/pci.h \
	src/inventory/needs.c src/inventory/needs.h \
	src/inventory/resource.c src/inventory/resource.h \
	src/inventory/spec.c src/inventory/spec.h \
	src/inventory/spec-json.c src/inventory/spec-json.h
