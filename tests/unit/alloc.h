/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every allocation of the process can be made to fail, also those that libraries make: the C library takes malloc()
 * from the program, if that has one, for all. Not with a sanitizer, which has its own. */

#include <stdbool.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define ALLOC_CAN_FAIL 0
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALLOC_CAN_FAIL 0
#endif
#ifndef ALLOC_CAN_FAIL
#define ALLOC_CAN_FAIL 1
#endif

/* From now on n allocations work, in whichever thread, and the next one fails; then all work again. */
void alloc_fail_after(long n);

/* No more. Returns whether one has failed. */
bool alloc_end(void);

/* Blocks that are allocated now. */
long alloc_count(void);
