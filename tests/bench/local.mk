# SPDX-License-Identifier: LGPL-2.1-or-later

# What benchmarks are made of: made by `make bench-programs`, run by tests/bench/run.
bench_programs = tests/bench/bare-http tests/bench/bare-netlink tests/bench/bare-sqlite tests/bench/load
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)
bench_cflags = $(HSV_CFLAGS) -O2
tests_bench_bare_http_SOURCES = tests/bench/bare-http.c
tests_bench_bare_http_CFLAGS = $(bench_cflags) $(MICROHTTPD_CFLAGS)
tests_bench_bare_http_LDADD = $(MICROHTTPD_LIBS) -lpthread
tests_bench_bare_netlink_SOURCES = tests/bench/bare-netlink.c
tests_bench_bare_netlink_CFLAGS = $(bench_cflags) $(LIBNL_CFLAGS)
tests_bench_bare_netlink_LDADD = $(LIBNL_LIBS)
tests_bench_bare_sqlite_SOURCES = tests/bench/bare-sqlite.c
tests_bench_bare_sqlite_CFLAGS = $(bench_cflags) $(SQLITE_CFLAGS)
tests_bench_bare_sqlite_LDADD = $(SQLITE_LIBS)
tests_bench_load_SOURCES = tests/bench/load.c
tests_bench_load_CFLAGS = $(bench_cflags)
tests_bench_load_LDADD =

# `make check` sees to it that they can still be made.
check_DATA += $(bench_programs)
bench-programs: $(bench_programs)
.PHONY: bench-programs

dist_check_SCRIPTS += tests/bench/profile tests/bench/run tests/bench/run-kernel tests/bench/scale
EXTRA_DIST += tests/bench/README.md tests/bench/bench.py
