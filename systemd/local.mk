# SPDX-License-Identifier: LGPL-2.1-or-later
systemdsystemunit_DATA = systemd/hsvdpad.service
dist_systemdsystemunit_DATA = systemd/hsvdpad.socket systemd/hsvdpa-restored.target
dist_sysusers_DATA = systemd/sysusers.d/hsvdpa.conf
dist_tmpfiles_DATA = systemd/tmpfiles.d/hsvdpa.conf
EXTRA_DIST += systemd/hsvdpad.service.in
CLEANFILES += systemd/hsvdpad.service

systemd/hsvdpad.service: $(top_srcdir)/systemd/hsvdpad.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && \
	sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@docdir[@]|$(docdir)|g' $< > $@.tmp && mv $@.tmp $@

dist_doc_DATA = README.md NEWS.md docs/operation.md
