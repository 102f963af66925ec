/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the fuzz targets share. A target is a program of one file with a function that takes any bytes: under
 * libFuzzer (configure --enable-fuzzing) it is called with what that makes up, else with the files of the target's
 * corpus, so that what was found once stays found. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/macro.h"

/* The target. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Called once before, if the target has it. Returns 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* What must be so whatever the input is. */
#define fuzz_expect(condition)                                                                                     \
        do {                                                                                                       \
                if (!(condition)) {                                                                                \
                        (void) fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                                                   \
                }                                                                                                  \
        } while (0)

/* Bytes that are taken from the front. At the end there are zeros and empty texts. */
typedef struct FuzzInput {
        const uint8_t *data;
        size_t size;
} FuzzInput;

uint8_t fuzz_take_byte(FuzzInput *in);
uint16_t fuzz_take_u16(FuzzInput *in);
uint32_t fuzz_take_u32(FuzzInput *in);
uint64_t fuzz_take_u64(FuzzInput *in);

/* The bytes up to the next NUL, which goes too, as an allocated string. */
char *fuzz_take_text(FuzzInput *in);

/* All that is left, as an allocated string that may have NULs in it. */
char *fuzz_take_rest(FuzzInput *in, size_t *ret_size);

/* A directory of this process, on a file system in memory if there is one; it goes with the process. And a path in
 * it, good until the next eight calls. */
const char *fuzz_directory(void);
const char *fuzz_path(const char *name);

/* Makes the file, and what is missing above it; or gives it other contents. */
void fuzz_write_file(const char *path, const void *data, size_t size);

/* Removes a file, or a directory with what is in it, if it is there. */
void fuzz_remove(const char *path);
