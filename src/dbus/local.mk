# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/dbus/arguments.c src/dbus/arguments.h \
	src/dbus/batch-call.c src/dbus/batch-call.h \
	src/dbus/bus.c src/dbus/bus.h \
	src/dbus/call.c src/dbus/call.h \
	src/dbus/changes.c src/dbus/changes.h \
	src/dbus/context.h \
	src/dbus/device-call.c src/dbus/device-call.h \
	src/dbus/device.c src/dbus/device.h \
	src/dbus/drift-call.c src/dbus/drift-call.h \
	src/dbus/error.c src/dbus/error.h \
	src/dbus/holding.c src/dbus/holding.h \
	src/dbus/manager.c src/dbus/manager.h \
	src/dbus/mgmtdev-call.c src/dbus/mgmtdev-call.h \
	src/dbus/mgmtdev.c src/dbus/mgmtdev.h \
	src/dbus/path.c src/dbus/path.h \
	src/dbus/polkit.c src/dbus/polkit.h \
	src/dbus/pool-call.c src/dbus/pool-call.h \
	src/dbus/property.h \
	src/dbus/signals.c src/dbus/signals.h \
	src/dbus/variant.c src/dbus/variant.h
