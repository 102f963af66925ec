/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The main of a fuzz target without libFuzzer: gives it each file of its corpus, or those that are named, once. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define EXIT_SKIPPED 77

/* Not every target has it. */
#pragma weak LLVMFuzzerInitialize

static unsigned n_inputs;

static void run_file(const char *path) {
        FILE *file = fopen(path, "re");
        uint8_t *data = NULL;
        struct stat st;

        fuzz_expect(file && fstat(fileno(file), &st) == 0);
        /* No byte more: what reads past the end is found by the sanitizers. */
        data = malloc((size_t) st.st_size + (st.st_size == 0));
        fuzz_expect(data && fread(data, 1, (size_t) st.st_size, file) == (size_t) st.st_size);
        (void) fclose(file);

        /* Whatever ends the program, it is the last one that was named. */
        (void) fprintf(stderr, "%s\n", path);
        (void) LLVMFuzzerTestOneInput(data, (size_t) st.st_size);
        n_inputs++;
        free(data);
}

static void run_path(const char *path) {
        struct dirent **entries;
        char name[PATH_MAX];
        int n = scandir(path, &entries, NULL, alphasort);

        if (n < 0 && errno == ENOTDIR) {
                run_file(path);
                return;
        }
        if (n < 0) {
                (void) fprintf(stderr, "%s: %s\n", path, strerror(errno));
                exit(EXIT_FAILURE);
        }
        for (int i = 0; i < n; i++) {
                (void) snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
                if (entries[i]->d_name[0] != '.')
                        run_file(name);
                free(entries[i]);
        }
        free(entries);
}

static void run_corpus(const char *program) {
        const char *slash = strrchr(program, '/'), *base = slash ? slash + 1 : program, *srcdir = getenv("srcdir");
        char path[PATH_MAX];

        if (strncmp(base, "fuzz-", 5) == 0)
                base += 5;
        (void) snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : "..", base);
        if (access(path, R_OK) < 0) {
                (void) printf("there is no corpus in %s; set srcdir, or name files\n", path);
                exit(EXIT_SKIPPED);
        }
        run_path(path);
}

int main(int argc, char *argv[]) {
        if (LLVMFuzzerInitialize)
                (void) LLVMFuzzerInitialize(&argc, &argv);

        (void) LLVMFuzzerTestOneInput((const uint8_t *) "", 0);
        for (int i = 1; i < argc; i++)
                run_path(argv[i]);
        if (argc == 1)
                run_corpus(argv[0]);
        (void) printf("%u inputs\n", n_inputs);
        return EXIT_SUCCESS;
}
