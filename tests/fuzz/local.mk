# SPDX-License-Identifier: LGPL-2.1-or-later

# The fuzz targets: with libFuzzer where configure was told so (--enable-fuzzing), and then run by tests/fuzz/run; else
# tests of their corpora. A new one: its file, its corpus, and a place in one of the two lists.
FUZZ_DAEMON_TARGETS = \
	tests/fuzz/fuzz-config \
	tests/fuzz/fuzz-database-file \
	tests/fuzz/fuzz-database-rows \
	tests/fuzz/fuzz-dbus-variant \
	tests/fuzz/fuzz-device-body \
	tests/fuzz/fuzz-device-patch \
	tests/fuzz/fuzz-devlink-codec \
	tests/fuzz/fuzz-genl \
	tests/fuzz/fuzz-http-header \
	tests/fuzz/fuzz-http-target \
	tests/fuzz/fuzz-lifecycle \
	tests/fuzz/fuzz-mgmtdev-patch \
	tests/fuzz/fuzz-sim-file \
	tests/fuzz/fuzz-sysfs \
	tests/fuzz/fuzz-text \
	tests/fuzz/fuzz-vdpa-codec \
	tests/fuzz/fuzz-device-notes
FUZZ_CLIENT_TARGETS = \
	tests/fuzz/fuzz-client-url \
	tests/fuzz/fuzz-ctl-answer \
	tests/fuzz/fuzz-ctl-arguments \
	tests/fuzz/fuzz-ctl-items

check_LIBRARIES += tests/fuzz/libfuzz.a
tests_fuzz_libfuzz_a_SOURCES = tests/fuzz/fuzz.c tests/fuzz/fuzz.h
tests_fuzz_libfuzz_a_CFLAGS = $(HSV_CFLAGS) -fPIE
if FUZZING
check_fuzzers = $(FUZZ_DAEMON_TARGETS) $(FUZZ_CLIENT_TARGETS)
noinst_PROGRAMS += $(check_fuzzers)
else
tests_fuzz_libfuzz_a_SOURCES += tests/fuzz/replay.c
check_PROGRAMS += $(FUZZ_DAEMON_TARGETS) $(FUZZ_CLIENT_TARGETS)
endif
FUZZ_DAEMON_LDADD = tests/fuzz/libfuzz.a $(HSVDPAD_LIBS)
FUZZ_CLIENT_CFLAGS = $(HSV_CFLAGS) -fPIE $(CURL_CFLAGS) $(JANSSON_CFLAGS)
FUZZ_CLIENT_LDADD = tests/fuzz/libfuzz.a libhsvdpactl.a libhsvdpa-objects.la $(YAML_LIBS)
FUZZ_LINK = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)

tests_fuzz_fuzz_config_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_config_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_config_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_database_file_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_database_file_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_database_file_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_database_rows_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_database_rows_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_database_rows_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_dbus_variant_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_dbus_variant_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_dbus_variant_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_device_body_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_device_body_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_device_body_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_device_patch_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_device_patch_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_device_patch_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_devlink_codec_SOURCES = tests/fuzz/fuzz-devlink-codec.c tests/fuzz/fuzz-netlink.h
tests_fuzz_fuzz_devlink_codec_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_devlink_codec_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_devlink_codec_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_genl_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_genl_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_genl_LDFLAGS = $(FUZZ_LINK) \
	-Wl,--wrap=genl_connect -Wl,--wrap=genl_ctrl_resolve -Wl,--wrap=nl_socket_set_buffer_size \
	-Wl,--wrap=nl_send_auto -Wl,--wrap=nl_socket_use_seq -Wl,--wrap=nl_recv -Wl,--wrap=setsockopt
tests_fuzz_fuzz_http_header_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_http_header_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_http_header_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_http_target_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_http_target_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_http_target_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_lifecycle_SOURCES = tests/fuzz/fuzz-lifecycle.c tests/fuzz/fuzz-host.c tests/fuzz/fuzz-host.h
tests_fuzz_fuzz_lifecycle_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_lifecycle_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_lifecycle_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_mgmtdev_patch_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_mgmtdev_patch_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_mgmtdev_patch_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_sim_file_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_sim_file_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_sim_file_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_sysfs_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_sysfs_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_sysfs_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_text_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_text_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_text_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_vdpa_codec_SOURCES = tests/fuzz/fuzz-vdpa-codec.c tests/fuzz/fuzz-netlink.h
tests_fuzz_fuzz_vdpa_codec_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_vdpa_codec_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_vdpa_codec_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_device_notes_CFLAGS = $(libhsvdpad_a_CFLAGS)
tests_fuzz_fuzz_device_notes_LDADD = $(FUZZ_DAEMON_LDADD)
tests_fuzz_fuzz_device_notes_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_client_url_CFLAGS = $(FUZZ_CLIENT_CFLAGS)
tests_fuzz_fuzz_client_url_LDADD = $(FUZZ_CLIENT_LDADD)
tests_fuzz_fuzz_client_url_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_ctl_answer_CFLAGS = $(FUZZ_CLIENT_CFLAGS)
tests_fuzz_fuzz_ctl_answer_LDADD = $(FUZZ_CLIENT_LDADD)
tests_fuzz_fuzz_ctl_answer_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=client_call
tests_fuzz_fuzz_ctl_arguments_CFLAGS = $(FUZZ_CLIENT_CFLAGS)
tests_fuzz_fuzz_ctl_arguments_LDADD = $(FUZZ_CLIENT_LDADD)
tests_fuzz_fuzz_ctl_arguments_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_ctl_items_CFLAGS = $(FUZZ_CLIENT_CFLAGS)
tests_fuzz_fuzz_ctl_items_LDADD = $(FUZZ_CLIENT_LDADD)
tests_fuzz_fuzz_ctl_items_LDFLAGS = $(FUZZ_LINK)

EXTRA_DIST += $(srcdir)/tests/fuzz/corpus $(srcdir)/tests/fuzz/dict tests/fuzz/run
