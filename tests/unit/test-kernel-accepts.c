/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is remembered of the attributes that management devices take. There is no vDPA to ask here: only refusals
 * teach. */
#include "kernel/accepts.h"

#include "kernel/vdpa-codec.h"
#include "kernel/vdpa-uapi.h"
#include "test-pci-tree.h"

#define FUNCTION "pci/0000:01:00.0"

static Accepts *accepts;
static GenlSocket *netlink;

static void set_up(void) {
        ck_assert_int_eq(accepts_new(unit_directory(), &accepts), 0);
        ck_assert_int_eq(genl_socket_new("no such family", &netlink), 0);
        tree_pci_function("0000:01:00.0");
        tree_pci_link("0000:01:00.0", "driver", "drivers/vp-vdpa");
}

static void tear_down(void) {
        accepts = accepts_free(accepts);
        netlink = genl_socket_free(netlink);
}

/* attributes: -1: not known. */
static void check(const char *handle, int attributes) {
        MgmtdevInfo info = { .classes = UINT64_C(1) << CLASS_NET, .features[CLASS_NET] = 1, .accepts = 99 };
        char made[DEVICE_NAME_MAX] = "x";

        (void) snprintf(info.handle, sizeof info.handle, "%s", handle);
        accepts_describe(accepts, netlink, &info, made);
        ck_assert_str_eq(made, "");
        ck_assert_int_eq(info.knows_accepts, attributes >= 0);
        ck_assert_uint_eq(info.accepts, attributes >= 0 ? (uint32_t) attributes : 0);
}

START_TEST(test_learn) {
        set_up();
        check(FUNCTION, -1);
        accepts_note_refused(accepts, FUNCTION, 0);
        check(FUNCTION, -1);
        accepts_note_refused(accepts, FUNCTION, 1u << ATTRIBUTE_MAC);
        check(FUNCTION, VDPA_ATTRIBUTES & ~(1u << ATTRIBUTE_MAC));
        accepts_note_refused(accepts, FUNCTION, 1u << ATTRIBUTE_MTU | 1u << ATTRIBUTE_MAX_VQP);
        check(FUNCTION, 1u << ATTRIBUTE_FEATURES);
        check("vdpasim_net", -1);
        tear_down();
}
END_TEST

/* Another driver has other wishes. */
START_TEST(test_other_driver) {
        set_up();
        accepts_note_refused(accepts, FUNCTION, 1u << ATTRIBUTE_MAC);
        tree_remove(PCI "/0000:01:00.0/driver");
        tree_pci_link("0000:01:00.0", "driver", "drivers/mlx5_core");
        check(FUNCTION, -1);
        tear_down();
}
END_TEST

START_TEST(test_forget_what_has_gone) {
        char handle[HANDLE_MAX];

        set_up();
        for (unsigned i = 0; i < 100; i++) {
                (void) snprintf(handle, sizeof handle, "m%u", i);
                accepts_note_refused(accepts, handle, 1u << ATTRIBUTE_MAC);
        }
        accepts_begin_listing(accepts);
        check("m7", VDPA_ATTRIBUTES & ~(1u << ATTRIBUTE_MAC));
        check("m99", VDPA_ATTRIBUTES & ~(1u << ATTRIBUTE_MAC));
        accepts_end_listing(accepts);
        check("m7", VDPA_ATTRIBUTES & ~(1u << ATTRIBUTE_MAC));
        check("m99", VDPA_ATTRIBUTES & ~(1u << ATTRIBUTE_MAC));
        check("m8", -1);
        tear_down();
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, test_learn);
        tcase_add_test(tcase, test_other_driver);
        tcase_add_test(tcase, test_forget_what_has_gone);
}

int main(void) {
        return unit_main("kernel-accepts", add_tests);
}
