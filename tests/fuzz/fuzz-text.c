/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small things that are written as text: lists of IDs, addresses, names, the kernel's messages. What is read is
 * written so that it reads the same. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "inventory/device.h"
#include "inventory/feature.h"
#include "inventory/idlist.h"
#include "inventory/pci.h"
#include "kernel/kobject-monitor.h"

static void check_list(const char *text) {
        _cleanup_free_ char *again = NULL;
        uint32_t ids[64], copy[64];
        size_t n = 0, n_copy = 0;
        int r;

        r = idlist_check(text);
        fuzz_expect(r == 0 || r == -EINVAL || r == -ERANGE);
        r = idlist_parse(text, ids, ELEMENTSOF(ids), &n);
        fuzz_expect(r == 0 || r == -EINVAL || r == -ERANGE || r == -E2BIG);
        if (r < 0)
                return;
        again = idlist_format(ids, n);
        fuzz_expect(n <= ELEMENTSOF(ids) && again);
        fuzz_expect(idlist_parse(again, copy, ELEMENTSOF(copy), &n_copy) == 0 && n == n_copy &&
                    memcmp(ids, copy, n * sizeof ids[0]) == 0);
}

/* What is in both lists is in the merged one, which is a list. */
static void check_merge(const char *a, const char *b) {
        char merged[64], again[64];

        idlist_merge(a, b, merged, sizeof merged);
        fuzz_expect(idlist_check(merged) == 0);
        idlist_merge(merged, merged, again, sizeof again);
        fuzz_expect(strcmp(merged, again) == 0);
}

static void check_addresses(const char *text) {
        PciAddress address;
        uint8_t mac[6], copy[6];
        char buffer[MAC_TEXT_MAX];
        DeviceState state;

        (void) pci_address_parse(text, &address);
        if (mac_parse(text, mac) == 0)
                fuzz_expect(mac_parse(mac_format(mac, buffer), copy) == 0 && memcmp(mac, copy, sizeof mac) == 0);
        if (device_name_is_valid(text))
                fuzz_expect(strlen(text) < DEVICE_NAME_MAX && !strchr(text, '/'));
        if (handle_is_valid(text))
                fuzz_expect(strlen(text) < HANDLE_MAX);
        (void) uid_is_valid(text);
        if (device_state_parse(text, &state) == 0)
                fuzz_expect(strcmp(device_state_name(state), text) == 0);
}

/* A message may have NULs anywhere, and has one behind it. */
static void check_event(const uint8_t *data, size_t size) {
        _cleanup_free_ char *message = malloc(size + 1);
        KobjectEvent event;

        memcpy(message, data, size);
        message[size] = '\0';
        if (kobject_event_parse(message, size, "vdpa", &event))
                fuzz_expect(event.seqnum > 0 && !strchr(event.name, '/') && event.name <= message + size &&
                            event.action <= message + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        _cleanup_free_ char *a = fuzz_take_text(&in), *b = fuzz_take_text(&in);

        check_event(data, size);
        check_list(a);
        check_merge(a, b);
        check_addresses(a);
        return 0;
}
