# SPDX-License-Identifier: LGPL-2.1-or-later
man_MANS = \
	man/hsvdpa.7 \
	man/hsvdpactl.1 \
	man/hsvdpad.8 \
	man/hsvdpad.conf.5 \
	man/libhsvdpa.3 \
	man/org.hsvdpa.5
EXTRA_DIST += $(man_MANS:=.in)
CLEANFILES += $(man_MANS)

$(man_MANS): man/%: $(top_srcdir)/man/%.in Makefile
	$(AM_V_GEN)$(MKDIR_P) man && \
	sed -e 's|@VERSION[@]|$(PACKAGE_VERSION)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' $< > $@.tmp && mv $@.tmp $@
