# SPDX-License-Identifier: LGPL-2.1-or-later
EXTRA_DIST += api/errors.def api/openapi.yaml
BUILT_SOURCES += api/openapi.inc
CLEANFILES += api/openapi.inc

# The document becomes part of the daemon, which serves it: byte by byte, as the initializer of an array.
api/openapi.inc: api/openapi.yaml
	$(AM_V_GEN)$(MKDIR_P) api && \
	od -An -v -tx1 $(srcdir)/api/openapi.yaml >$@.tmp && \
	sed -e 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g' $@.tmp >$@ && rm -f $@.tmp

# BUILT_SOURCES counts for "make all" and "make check" only, not for a single target.
src/http/libhsvdpad_a-openapi.$(OBJEXT): api/openapi.inc

EXTRA_DIST += docs/dbus.md

# D-Bus: what bindings are made from, who may own the name, who starts the daemon, and what polkit asks about.
dbusinterfacesdir = $(datadir)/dbus-1/interfaces
dist_dbusinterfaces_DATA = \
	api/org.hsvdpa.Device1.xml \
	api/org.hsvdpa.ManagementDevice1.xml \
	api/org.hsvdpa.Manager1.xml
dbuspolicydir = $(datadir)/dbus-1/system.d
dist_dbuspolicy_DATA = api/org.hsvdpa.conf
dbusservicedir = $(datadir)/dbus-1/system-services
dist_dbusservice_DATA = api/org.hsvdpa.service
polkitpolicydir = $(datadir)/polkit-1/actions
dist_polkitpolicy_DATA = api/org.hsvdpa.policy
polkitrulesdir = $(datadir)/polkit-1/rules.d
dist_polkitrules_DATA = api/org.hsvdpa.rules
