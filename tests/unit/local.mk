# SPDX-License-Identifier: LGPL-2.1-or-later

if HAVE_CHECK
# What the tests of the daemon's core share.
check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_SOURCES = \
	tests/unit/fake-backend.c tests/unit/fake-backend.h \
	tests/unit/fake-host.c tests/unit/fake-host.h \
	tests/unit/fault-vfs.c tests/unit/fault-vfs.h \
	tests/unit/rig.c tests/unit/rig.h \
	tests/unit/store-rig.c tests/unit/store-rig.h \
	tests/unit/unit.c tests/unit/unit.h

# The daemon: its core, and what is above and below.
check_PROGRAMS += \
	tests/unit/test-alloc \
	tests/unit/test-budget \
	tests/unit/test-class \
	tests/unit/test-config \
	tests/unit/test-config-file \
	tests/unit/test-database \
	tests/unit/test-dbus-changes \
	tests/unit/test-dbus-variant \
	tests/unit/test-device \
	tests/unit/test-durable-clock \
	tests/unit/test-idset \
	tests/unit/test-idset-twin \
	tests/unit/test-inventory \
	tests/unit/test-inventory-twin \
	tests/unit/test-job \
	tests/unit/test-journal \
	tests/unit/test-json \
	tests/unit/test-json-writer \
	tests/unit/test-lifecycle-batch \
	tests/unit/test-lease \
	tests/unit/test-lifecycle-create \
	tests/unit/test-lifecycle-delete \
	tests/unit/test-lifecycle-disk \
	tests/unit/test-lifecycle-faults \
	tests/unit/test-lifecycle-hold \
	tests/unit/test-lifecycle-memory \
	tests/unit/test-lifecycle-mgmtdev \
	tests/unit/test-lifecycle-pool \
	tests/unit/test-lifecycle-resources \
	tests/unit/test-lifecycle-scan \
	tests/unit/test-lifecycle-settle \
	tests/unit/test-lifecycle-stop \
	tests/unit/test-lifecycle-undo \
	tests/unit/test-lifecycle-update \
	tests/unit/test-listen \
	tests/unit/test-machine \
	tests/unit/test-mgmtdev \
	tests/unit/test-pci \
	tests/unit/test-needs \
	tests/unit/test-mgmtdev-patch \
	tests/unit/test-placement \
	tests/unit/test-placement-twin \
	tests/unit/test-receipt \
	tests/unit/test-recovery \
	tests/unit/test-recovery-start \
	tests/unit/test-resource \
	tests/unit/test-slab \
	tests/unit/test-spec \
	tests/unit/test-spec-json \
	tests/unit/test-spec-twin \
	tests/unit/test-sriov \
	tests/unit/test-store \
	tests/unit/test-store-crash \
	tests/unit/test-store-damage \
	tests/unit/test-store-faults \
	tests/unit/test-store-trouble \
	tests/unit/test-unit \
	tests/unit/test-util \
	tests/unit/test-workqueue
tests_unit_test_alloc_SOURCES = tests/unit/test-alloc.c tests/unit/alloc.c tests/unit/alloc.h
tests_unit_test_alloc_CFLAGS = $(AM_CFLAGS) -fno-builtin
tests_unit_test_lifecycle_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=strdup

check_PROGRAMS += \
	tests/unit/test-http-body \
	tests/unit/test-http-connection \
	tests/unit/test-http-device \
	tests/unit/test-http-header \
	tests/unit/test-http-query \
	tests/unit/test-http-router \
	tests/unit/test-kernel-accepts \
	tests/unit/test-kernel-autoprobe \
	tests/unit/test-kernel-binding \
	tests/unit/test-kernel-capacity \
	tests/unit/test-kernel-detached \
	tests/unit/test-kernel-devlink \
	tests/unit/test-kernel-genl \
	tests/unit/test-kernel-kobject \
	tests/unit/test-kernel-maker \
	tests/unit/test-kernel-msix \
	tests/unit/test-kernel-pci \
	tests/unit/test-kernel-vhost \
	tests/unit/test-sim \
	tests/unit/test-sim-command \
	tests/unit/test-sim-crash \
	tests/unit/test-sim-full \
	tests/unit/test-sim-idmap \
	tests/unit/test-sim-model \
	tests/unit/test-sim-steps \
	tests/unit/test-vdpa-codec \
	tests/unit/test-vdpa-sysfs
tests_unit_test_kernel_accepts_SOURCES = \
	tests/unit/test-kernel-accepts.c tests/unit/test-kernel.h tests/unit/test-pci-tree.h
tests_unit_test_kernel_autoprobe_SOURCES = tests/unit/test-kernel-autoprobe.c tests/unit/test-kernel.h
tests_unit_test_kernel_binding_SOURCES = tests/unit/test-kernel-binding.c tests/unit/test-kernel.h
tests_unit_test_kernel_capacity_SOURCES = \
	tests/unit/test-kernel-capacity.c tests/unit/test-kernel.h tests/unit/test-pci-tree.h
tests_unit_test_kernel_detached_SOURCES = tests/unit/test-kernel-detached.c tests/unit/test-kernel.h
tests_unit_test_kernel_devlink_SOURCES = \
	tests/unit/test-kernel-devlink.c tests/unit/test-kernel.h tests/unit/test-pci-tree.h
tests_unit_test_kernel_msix_SOURCES = tests/unit/test-kernel-msix.c tests/unit/test-kernel.h tests/unit/test-pci-tree.h
tests_unit_test_kernel_pci_SOURCES = tests/unit/test-kernel-pci.c tests/unit/test-kernel.h tests/unit/test-pci-tree.h
tests_unit_test_kernel_vhost_SOURCES = tests/unit/test-kernel-vhost.c tests/unit/test-kernel.h
tests_unit_test_sim_SOURCES = tests/unit/test-sim.c tests/unit/sim-rig.h tests/unit/test-sim.h
tests_unit_test_sim_command_SOURCES = tests/unit/test-sim-command.c tests/unit/test-sim.h
tests_unit_test_sim_crash_SOURCES = tests/unit/test-sim-crash.c tests/unit/test-sim.h
tests_unit_test_sim_full_SOURCES = tests/unit/test-sim-full.c tests/unit/test-sim.h
tests_unit_test_sim_model_SOURCES = tests/unit/test-sim-model.c tests/unit/test-sim.h
tests_unit_test_sim_steps_SOURCES = tests/unit/test-sim-steps.c tests/unit/sim-rig.h tests/unit/test-sim.h
tests_unit_test_vdpa_sysfs_SOURCES = tests/unit/test-vdpa-sysfs.c tests/unit/test-kernel.h

# The client library and hsvdpactl, which share nothing with the daemon.
check_PROGRAMS += \
	tests/unit/test-client-answer \
	tests/unit/test-client-calls \
	tests/unit/test-client-url \
	tests/unit/test-ctl-command \
	tests/unit/test-ctl-item \
	tests/unit/test-ctl-output \
	tests/unit/test-ctl-report \
	tests/unit/test-ctl-screen \
	tests/unit/test-ctl-text
UNIT_CLIENT_CFLAGS = $(HSV_CFLAGS) -fPIE $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_client_answer_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_client_answer_LDADD = libhsvdpa-objects.la $(CHECK_LIBS)
tests_unit_test_client_calls_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_client_calls_LDADD = libhsvdpa-objects.la $(CHECK_LIBS)
tests_unit_test_client_url_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_client_url_LDADD = libhsvdpa-objects.la $(CHECK_LIBS)
tests_unit_test_ctl_command_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_command_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(YAML_LIBS) $(CHECK_LIBS)
tests_unit_test_ctl_item_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_item_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(YAML_LIBS) $(CHECK_LIBS)
tests_unit_test_ctl_output_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_output_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(YAML_LIBS) $(CHECK_LIBS)
tests_unit_test_ctl_report_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_report_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(YAML_LIBS) $(CHECK_LIBS)
tests_unit_test_ctl_screen_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_screen_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(YAML_LIBS) $(CHECK_LIBS)
tests_unit_test_ctl_text_CFLAGS = $(UNIT_CLIENT_CFLAGS)
tests_unit_test_ctl_text_LDADD = libhsvdpactl.a libhsvdpa-objects.la $(YAML_LIBS) $(CHECK_LIBS)
endif

dist_check_SCRIPTS += tests/unit/test-client-header.sh
TESTS += tests/unit/test-client-header.sh
