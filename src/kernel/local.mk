# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/kernel/accepts.c \
	src/kernel/accepts.h \
	src/kernel/autoprobe.c src/kernel/autoprobe.h \
	src/kernel/binding.c \
	src/kernel/binding.h \
	src/kernel/capacity.c \
	src/kernel/capacity.h \
	src/kernel/context.h \
	src/kernel/creation.c src/kernel/creation.h \
	src/kernel/detached.c \
	src/kernel/detached.h \
	src/kernel/devlink.c \
	src/kernel/devlink.h \
	src/kernel/devlink-codec.c \
	src/kernel/devlink-codec.h \
	src/kernel/driver-writes.c \
	src/kernel/driver-writes.h \
	src/kernel/endpoint.c \
	src/kernel/endpoint.h \
	src/kernel/failure.c \
	src/kernel/failure.h \
	src/kernel/genl.c \
	src/kernel/genl.h \
	src/kernel/kernel.c \
	src/kernel/kernel.h \
	src/kernel/kobject-monitor.c src/kernel/kobject-monitor.h \
	src/kernel/maker.c src/kernel/maker.h \
	src/kernel/msix.c \
	src/kernel/msix.h \
	src/kernel/netdev.c \
	src/kernel/netdev.h \
	src/kernel/observation.c src/kernel/observation.h \
	src/kernel/openers.c \
	src/kernel/openers.h \
	src/kernel/pci.c \
	src/kernel/pci.h \
	src/kernel/release.c \
	src/kernel/release.h \
	src/kernel/snapshot.c src/kernel/snapshot.h \
	src/kernel/sysfs.c \
	src/kernel/sysfs.h \
	src/kernel/uevent.c \
	src/kernel/uevent.h \
	src/kernel/users.c \
	src/kernel/users.h \
	src/kernel/vdpa-codec.c \
	src/kernel/vdpa-codec.h \
	src/kernel/vdpa-netlink.c \
	src/kernel/vdpa-netlink.h \
	src/kernel/vdpa-sysfs.c \
	src/kernel/vdpa-sysfs.h \
	src/kernel/vdpa-uapi.h \
	src/kernel/vhost.c \
	src/kernel/vhost.h \
	src/kernel/device-notes.c \
	src/kernel/device-notes.h \
	src/kernel/vhost-kinds.c \
	src/kernel/vhost-kinds.h
