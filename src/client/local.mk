# SPDX-License-Identifier: LGPL-2.1-or-later

# The library's objects by another name, so that tests also reach what libhsvdpa.so does not export.
noinst_LTLIBRARIES += libhsvdpa-objects.la
libhsvdpa_objects_la_SOURCES = \
	src/client/buffer.c src/client/buffer.h \
	src/client/client.c src/client/client.h \
	src/client/device.c \
	src/client/document.c src/client/document.h \
	src/client/drift.c \
	src/client/error.c src/client/error.h \
	src/client/events.c \
	src/client/list.c \
	src/client/mgmtdev.c \
	src/client/pool.c \
	src/client/request.c src/client/request.h \
	src/client/url.c src/client/url.h
libhsvdpa_objects_la_CFLAGS = $(HSV_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
libhsvdpa_objects_la_LIBADD = $(CURL_LIBS) $(JANSSON_LIBS)

lib_LTLIBRARIES += libhsvdpa.la
libhsvdpa_la_SOURCES =
libhsvdpa_la_LIBADD = libhsvdpa-objects.la
# current:revision:age. A function more: current and age go up by one; one changed or gone: current up, age 0.
libhsvdpa_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined -version-info 0:0:0 \
	-Wl,--version-script=$(top_srcdir)/src/client/libhsvdpa.map
libhsvdpa_la_DEPENDENCIES = libhsvdpa-objects.la src/client/libhsvdpa.map
EXTRA_DIST += src/client/libhsvdpa.map

hsvdpaincludedir = $(includedir)/hsvdpa
hsvdpainclude_HEADERS = include/hsvdpa/client.h
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = src/client/libhsvdpa.pc
