/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file of notes on devices, after anything may have happened to it. */
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "kernel/device-notes.h"

static void make_device(void) {
        static bool is_made;

        if (!is_made)
                fuzz_write_file(fuzz_path("sys/bus/vdpa/devices/a/driver_override"), "", 0);
        is_made = true;
}

/* "@" in the input stands for the number of the device that is there. */
static void write_file(const uint8_t *data, size_t size) {
        FILE *file = fopen(fuzz_path(DEVICE_NOTES_FILE), "we");
        struct stat st;

        fuzz_expect(file && stat(fuzz_path("sys/bus/vdpa/devices/a"), &st) == 0);
        for (size_t i = 0; i < size; i++)
                if (data[i] == '@')
                        (void) fprintf(file, "%llu", (unsigned long long) st.st_ino);
                else
                        (void) fputc(data[i], file);
        fuzz_expect(fclose(file) == 0);
}

static DeviceNotes *open_notes(void) {
        DeviceNotes *n = NULL;

        fuzz_expect(device_notes_new(fuzz_directory(), fuzz_directory(), &n) == 0);
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const VhostGroups two = { 2, 2 };
        VhostGroups got;
        DeviceNotes *n;

        make_device();
        write_file(data, size);
        n = open_notes();
        (void) device_notes_get_groups(n, "a", &got);
        (void) device_notes_is_ours(n, "a");
        device_notes_put_groups(n, "a", 0, &two);
        device_notes_put_groups(n, "b", 0, &two);
        device_notes_free(n);

        n = open_notes();
        (void) device_notes_get_groups(n, "a", &got);
        fuzz_expect(got.n_vq_groups == 2 && got.n_address_spaces == 2);
        fuzz_expect(device_notes_is_ours(n, "a") && !device_notes_is_ours(n, "b"));
        (void) device_notes_get_groups(n, "b", &got);
        fuzz_expect(got.n_vq_groups == 0);
        device_notes_remove(n, "a");
        fuzz_expect(!device_notes_is_ours(n, "a"));
        (void) device_notes_get_groups(n, "a", &got);
        fuzz_expect(got.n_vq_groups == 0);
        device_notes_free(n);
        return 0;
}
