# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/store/database.c src/store/database.h \
	src/store/lock-holder.c src/store/lock-holder.h \
	src/store/image.c src/store/image.h \
	src/store/install.c src/store/install.h \
	src/store/schema.c src/store/schema.h \
	src/store/store.c src/store/store.h \
	src/store/trouble.c src/store/trouble.h
