# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/sim/idmap.c src/sim/idmap.h \
	src/sim/model.c src/sim/model.h \
	src/sim/model-file.c src/sim/model-file.h \
	src/sim/sim.c src/sim/sim.h \
	src/sim/sim-config.c \
	src/sim/sim-sriov.c src/sim/sim-sriov.h \
	src/sim/sim-unit.c src/sim/sim-unit.h
