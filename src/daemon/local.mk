# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/daemon/backend.c src/daemon/backend.h \
	src/daemon/config.c src/daemon/config.h \
	src/daemon/config-load.c src/daemon/config-load.h \
	src/daemon/config-file.c src/daemon/config-print.c src/daemon/config-reload.c \
	src/daemon/config-mgmtdev.c src/daemon/config-mgmtdev.h \
	src/daemon/config-sim.c src/daemon/config-sim.h \
	src/daemon/config-table.c src/daemon/config-table.h src/daemon/config-type.c \
	src/daemon/listen.c src/daemon/listen.h \
	src/daemon/manager.c src/daemon/manager.h \
	src/daemon/offline.c src/daemon/offline.h \
	src/daemon/service.c src/daemon/service.h

sbin_PROGRAMS += hsvdpad
hsvdpad_SOURCES = src/daemon/main.c
hsvdpad_CFLAGS = $(libhsvdpad_a_CFLAGS)
hsvdpad_LDFLAGS = $(AM_LDFLAGS) -pie
hsvdpad_LDADD = $(HSVDPAD_LIBS)
