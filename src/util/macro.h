/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The few macros that every file may use: cleanup by scope, ownership hand-over, sizes. */

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)        __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_            __attribute__((unused))

/* Of a large variable of which only what is used is ever filled in: the compiler shall not clear it first, as it
 * does with all others (see configure.ac). */
#if __has_attribute(uninitialized)
#define _uninitialized_ __attribute__((uninitialized))
#else
#define _uninitialized_
#endif

/* Whether AddressSanitizer watches the heap. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ADDRESS_SANITIZER 1
#endif
#ifndef HAS_ADDRESS_SANITIZER
#define HAS_ADDRESS_SANITIZER 0
#endif

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))

#define CONTAINER_OF(ptr, type, member) ((type *) (void *) ((char *) (ptr) -offsetof(type, member)))

/* Hands a pointer (or descriptor) over: yields its value and clears the variable, so that its cleanup
 * finds nothing to do. */
#define TAKE_PTR(p)                                                                                                \
        ({                                                                                                         \
                typeof(p) _p = (p);                                                                                \
                (p) = NULL;                                                                                        \
                _p;                                                                                                \
        })

#define TAKE_FD(fd)                                                                                                \
        ({                                                                                                         \
                int _fd = (fd);                                                                                    \
                (fd) = -1;                                                                                         \
                _fd;                                                                                               \
        })

/* Defines func##p(), the cleanup helper of a variable of the given pointer type. */
#define DEFINE_CLEANUP(type, func)                                                                                 \
        static inline _unused_ void func##p(type *p) {                                                             \
                if (*p)                                                                                            \
                        func(*p);                                                                                  \
        }

static inline _unused_ void freep(void *p) {
        free(*(void **) p);
}

static inline _unused_ void closep(int *fd) {
        if (*fd >= 0)
                close(*fd);
}

#define _cleanup_free_  _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
