/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Named places to die at, for tests. In the daemon they are nothing but a name that the compiler checks. In
 * hsvdpad-crash, the same sources built for the tests, the environment says at which one the process dies, at once
 * and as by SIGKILL:
 *
 * HSVDPA_CRASH=NAME or NAME:N  the N-th time that the point is reached (default: the first)
 * HSVDPA_CRASH_TRACE=FILE      the name of each point that is reached is appended to the file, a line each */

typedef enum CrashPoint {
#define DEFINE(name, where, text) CRASH_##name,
#include "util/crash-points.def"
#undef DEFINE
        _CRASH_POINT_MAX,
} CrashPoint;

#ifdef CRASH_POINTS
void crash_point(CrashPoint point);
#define CRASH_POINT(name) crash_point(CRASH_##name)
#else
#define CRASH_POINT(name) ((void) CRASH_##name)
#endif
