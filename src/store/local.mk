# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/store/database.c src/store/database.h \
	src/store/schema.c src/store/schema.h \
	src/store/store.c src/store/store.h
