# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/util/bitset.c src/util/bitset.h \
	src/util/clock.c src/util/clock.h \
	src/util/decimal.c src/util/decimal.h \
	src/util/crash.h src/util/crash-points.def \
	src/util/digest.c src/util/digest.h \
	src/util/durable-clock.c src/util/durable-clock.h \
	src/util/fs.c src/util/fs.h \
	src/util/hex.c src/util/hex.h \
	src/util/json.c src/util/json.h \
	src/util/json-writer.c src/util/json-writer.h \
	src/util/log.c src/util/log.h \
	src/util/log-rate.c src/util/log-rate.h \
	src/util/macro.h \
	src/util/random.c src/util/random.h \
	src/util/slab.c src/util/slab.h \
	src/util/workqueue.c src/util/workqueue.h
