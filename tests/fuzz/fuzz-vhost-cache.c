/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file of what vhost-vdpa devices have answered, after anything may have happened to it. */
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "kernel/vhost-cache.h"

static void make_device(void) {
        static bool is_made;

        if (!is_made)
                fuzz_write_file(fuzz_path("sys/bus/vdpa/devices/a/driver_override"), "", 0);
        is_made = true;
}

/* "@" in the input stands for the number of the device that is there. */
static void write_file(const uint8_t *data, size_t size) {
        FILE *file = fopen(fuzz_path(VHOST_CACHE_FILE), "we");
        struct stat st;

        fuzz_expect(file && stat(fuzz_path("sys/bus/vdpa/devices/a"), &st) == 0);
        for (size_t i = 0; i < size; i++)
                if (data[i] == '@')
                        (void) fprintf(file, "%llu", (unsigned long long) st.st_ino);
                else
                        (void) fputc(data[i], file);
        fuzz_expect(fclose(file) == 0);
}

static VhostCache *open_cache(void) {
        VhostCache *c = NULL;

        fuzz_expect(vhost_cache_new(fuzz_directory(), fuzz_directory(), &c) == 0);
        return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const VhostGroups two = { 2, 2 };
        VhostGroups got;
        VhostCache *c;

        make_device();
        write_file(data, size);
        c = open_cache();
        (void) vhost_cache_get(c, "a");
        vhost_cache_put(c, "a", &two);
        vhost_cache_put(c, "b", &two);
        vhost_cache_free(c);

        c = open_cache();
        got = vhost_cache_get(c, "a");
        fuzz_expect(got.n_vq_groups == 2 && got.n_address_spaces == 2);
        got = vhost_cache_get(c, "b");
        fuzz_expect(got.n_vq_groups == 0);
        vhost_cache_remove(c, "a");
        got = vhost_cache_get(c, "a");
        fuzz_expect(got.n_vq_groups == 0);
        vhost_cache_free(c);
        return 0;
}
