# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += \
	src/http/batch-body.c src/http/batch-body.h \
	src/http/batch.c \
	src/http/backup.c \
	src/http/body.c src/http/body.h \
	src/http/connection.c \
	src/http/connection.h \
	src/http/counters.c src/http/counters.h \
	src/http/device-body.c src/http/device-body.h \
	src/http/device-list.c src/http/device-list.h \
	src/http/device-reply.c src/http/device-reply.h \
	src/http/device.c \
	src/http/events.c src/http/events.h \
	src/http/exposition.c src/http/exposition.h \
	src/http/drift.c \
	src/http/gzip.c src/http/gzip.h \
	src/http/handlers.h \
	src/http/header.c src/http/header.h \
	src/http/health.c \
	src/http/host.c \
	src/http/input.c src/http/input.h \
	src/http/metrics.c \
	src/http/mgmtdev.c \
	src/http/openapi.c \
	src/http/packed.c src/http/packed.h \
	src/http/pool.c \
	src/http/query.c src/http/query.h \
	src/http/refusal.c src/http/refusal.h \
	src/http/reply.c src/http/reply.h \
	src/http/request.c src/http/request.h \
	src/http/router.c src/http/router.h \
	src/http/server.c src/http/server.h \
	src/http/stream.c src/http/stream.h \
	src/http/url.c src/http/url.h
