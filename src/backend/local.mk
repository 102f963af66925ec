# SPDX-License-Identifier: LGPL-2.1-or-later
libhsvdpad_a_SOURCES += src/backend/backend.h
