# SPDX-License-Identifier: LGPL-2.1-or-later

# All but main.c, so that tests link the program's own objects.
noinst_LIBRARIES += libhsvdpactl.a
libhsvdpactl_a_SOURCES = \
	src/ctl/bar.c src/ctl/bar.h \
	src/ctl/budget.c src/ctl/budget.h \
	src/ctl/bulk.c src/ctl/bulk.h \
	src/ctl/capacity.c \
	src/ctl/clock.c src/ctl/clock.h \
	src/ctl/command.c src/ctl/command.h \
	src/ctl/complete.c src/ctl/complete.h \
	src/ctl/device-adopt.c \
	src/ctl/device-batch.c src/ctl/device-batch.h \
	src/ctl/device-create.c \
	src/ctl/device-delete.c \
	src/ctl/device-ids.c src/ctl/device-ids.h \
	src/ctl/device-line.c \
	src/ctl/device-list.c \
	src/ctl/device-plan.c src/ctl/device-plan.h \
	src/ctl/device-renew.c \
	src/ctl/device-set.c \
	src/ctl/device-show.c \
	src/ctl/device-spec.c src/ctl/device-spec.h \
	src/ctl/device-wait.c \
	src/ctl/device.c src/ctl/device.h \
	src/ctl/drift-repair.c \
	src/ctl/drift.c src/ctl/drift.h \
	src/ctl/event.c \
	src/ctl/fields.c src/ctl/fields.h \
	src/ctl/format.c src/ctl/format.h \
	src/ctl/help.c src/ctl/help.h \
	src/ctl/host-backup.c src/ctl/host-backup.h \
	src/ctl/host.c \
	src/ctl/item-file.c \
	src/ctl/item.c src/ctl/item.h \
	src/ctl/listing.c src/ctl/listing.h \
	src/ctl/mgmtdev.c src/ctl/mgmtdev.h \
	src/ctl/mgmtdev-set.c \
	src/ctl/number.c src/ctl/number.h \
	src/ctl/output.c src/ctl/output.h \
	src/ctl/patience.c src/ctl/patience.h \
	src/ctl/pool.c src/ctl/pool.h \
	src/ctl/pool-set.c \
	src/ctl/progress.c src/ctl/progress.h \
	src/ctl/report.c src/ctl/report.h \
	src/ctl/screen.c src/ctl/screen.h \
	src/ctl/suggest.c src/ctl/suggest.h \
	src/ctl/table.c src/ctl/table.h \
	src/ctl/text.c src/ctl/text.h \
	src/ctl/values.c src/ctl/values.h \
	src/ctl/value.c src/ctl/value.h \
	src/ctl/watch-list.c src/ctl/watch-list.h \
	src/ctl/watch.c src/ctl/watch.h \
	src/ctl/yaml.c src/ctl/yaml.h
libhsvdpactl_a_CFLAGS = $(HSV_CFLAGS) -fPIE $(JANSSON_CFLAGS) $(YAML_CFLAGS)

bin_PROGRAMS += hsvdpactl
hsvdpactl_SOURCES = src/ctl/main.c
hsvdpactl_CFLAGS = $(HSV_CFLAGS) -fPIE
hsvdpactl_LDADD = libhsvdpactl.a libhsvdpa.la $(JANSSON_LIBS) $(YAML_LIBS)
