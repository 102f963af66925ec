# SPDX-License-Identifier: LGPL-2.1-or-later

if HAVE_CHECK
# What the tests of the daemon's core share.
check_LIBRARIES = tests/unit/libunit.a
tests_unit_libunit_a_SOURCES = \
	tests/unit/unit.c \
	tests/unit/unit.h
tests_unit_libunit_a_CFLAGS = $(UNIT_CFLAGS)
UNIT_LDADD = tests/unit/libunit.a $(LDADD)

# The daemon, from util/ upwards.
check_PROGRAMS += \
	tests/unit/test-json \
	tests/unit/test-util \
	tests/unit/test-workqueue \
	tests/unit/test-sim \
	tests/unit/test-sim-crash \
	tests/unit/test-sim-idmap \
	tests/unit/test-sim-model \
	tests/unit/test-http-body \
	tests/unit/test-http-device \
	tests/unit/test-http-header \
	tests/unit/test-http-query \
	tests/unit/test-http-router
tests_unit_test_json_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_json_LDADD = $(UNIT_LDADD)
tests_unit_test_util_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_util_LDADD = $(UNIT_LDADD)
tests_unit_test_workqueue_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_workqueue_LDADD = $(UNIT_LDADD)
tests_unit_test_sim_SOURCES = tests/unit/test-sim.c tests/unit/test-sim.h
tests_unit_test_sim_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_crash_SOURCES = tests/unit/test-sim-crash.c tests/unit/test-sim.h
tests_unit_test_sim_crash_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_idmap_SOURCES = tests/unit/test-sim-idmap.c tests/unit/test-sim.h
tests_unit_test_sim_idmap_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_model_SOURCES = tests/unit/test-sim-model.c tests/unit/test-sim.h
tests_unit_test_sim_model_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_body_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_device_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_header_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_query_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_router_CFLAGS = $(UNIT_CFLAGS)

# The client library and hsvdpactl, which share nothing with the daemon.
check_PROGRAMS += \
	tests/unit/test-client-answer \
	tests/unit/test-client-calls \
	tests/unit/test-client-url \
	tests/unit/test-ctl-command \
	tests/unit/test-ctl-output \
	tests/unit/test-ctl-report \
	tests/unit/test-ctl-text
UNIT_CLIENT_CFLAGS = $(AM_CFLAGS) -fPIE $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_client_answer_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_client_answer_LDADD = libhsvdpa-objects.la $(CHECK_LIBS)
tests_unit_test_client_calls_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_client_calls_LDADD = libhsvdpa-objects.la $(CHECK_LIBS)
tests_unit_test_client_url_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_client_url_LDADD = libhsvdpa-objects.la $(CHECK_LIBS)
tests_unit_test_ctl_command_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_command_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(CHECK_LIBS)
tests_unit_test_ctl_output_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_output_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(CHECK_LIBS)
tests_unit_test_ctl_report_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_report_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(CHECK_LIBS)
tests_unit_test_ctl_text_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_text_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(CHECK_LIBS)
endif

dist_check_SCRIPTS += tests/unit/test-client-header.sh
TESTS += tests/unit/test-client-header.sh
