# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/sim/idmap.c src/sim/idmap.h \
	src/sim/model.c src/sim/model.h \
	src/sim/model-command.c src/sim/model-command.h \
	src/sim/model-device.c \
	src/sim/model-fault.c src/sim/model-fault.h \
	src/sim/model-file.c src/sim/model-file.h \
	src/sim/model-holding.c src/sim/model-holding.h \
	src/sim/model-load.c \
	src/sim/model-map.c src/sim/model-map.h \
	src/sim/model-mgmtdev.c \
	src/sim/model-state.h \
	src/sim/model-table.c src/sim/model-table.h \
	src/sim/outside.c src/sim/outside.h \
	src/sim/sim.c src/sim/sim.h \
	src/sim/sim-assign.c src/sim/sim-assign.h \
	src/sim/sim-config.c \
	src/sim/sim-outside.c \
	src/sim/sim-state.h \
	src/sim/sim-sriov.c src/sim/sim-sriov.h \
	src/sim/sim-unit.c src/sim/sim-unit.h \
	src/sim/traffic.c src/sim/traffic.h
