/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The netlink socket, against the one family that every kernel has: the one that knows the others. */
#include "kernel/genl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <string.h>

#include "unit.h"

static GenlSocket *control;

/* Some places where tests run have no netlink at all. */
static bool connected(void) {
        int r;

        ck_assert_int_eq(genl_socket_new("nlctrl", &control), 0);
        r = genl_socket_open(control);
        ck_assert_int_ne(r, -EPROTONOSUPPORT);
        return r >= 0;
}

static struct nl_msg *request(int flags, uint8_t command) {
        struct nl_msg *m = nlmsg_alloc();

        ck_assert_ptr_nonnull(m);
        ck_assert_ptr_nonnull(genlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, 0, 0, flags, command, 1));
        return m;
}

/* What a handler is told. */
typedef struct Told {
        unsigned n, n_restarts;
        int result;
} Told;

static int on_reply(void *userdata, struct nlmsghdr *m) {
        Told *told = userdata;

        ck_assert(genlmsg_valid_hdr(m, 0));
        told->n++;
        return told->result;
}

static void on_restart(void *userdata) {
        Told *told = userdata;

        told->n_restarts++;
}

static int ask(struct nl_msg *m, Told *told, char extack[EXTACK_MAX]) {
        const GenlHandler handler = { on_reply, on_restart, told };
        int r;

        strcpy(extack, "not touched");
        r = genl_socket_request(control, m, told ? &handler : NULL, extack);
        nlmsg_free(m);
        return r;
}

static int ask_for_family(const char *name, Told *told, char extack[EXTACK_MAX]) {
        struct nl_msg *m = request(0, CTRL_CMD_GETFAMILY);

        ck_assert_int_eq(nla_put_string(m, CTRL_ATTR_FAMILY_NAME, name), 0);
        return ask(m, told, extack);
}

START_TEST(test_request) {
        char extack[EXTACK_MAX];
        Told told = {};

        if (!connected())
                return;
        ck_assert_int_eq(ask_for_family("nlctrl", &told, extack), 0);
        ck_assert_uint_eq(told.n, 1);
        ck_assert_str_eq(extack, "");
        ck_assert_int_eq(ask_for_family("nlctrl", NULL, extack), 0);
        genl_socket_free(control);
}
END_TEST

START_TEST(test_dump) {
        char extack[EXTACK_MAX];
        Told told = {};

        if (!connected())
                return;
        for (unsigned i = 0; i < 3; i++)
                ck_assert_int_eq(ask(request(NLM_F_DUMP, CTRL_CMD_GETFAMILY), &told, extack), 0);
        ck_assert_uint_ge(told.n, 3);
        ck_assert_uint_eq(told.n % 3, 0);
        ck_assert_uint_eq(told.n_restarts, 0);
        genl_socket_free(control);
}
END_TEST

/* The rest of the answer is read without the handler, so that the next one is not mistaken for it. */
START_TEST(test_handler_fails) {
        char extack[EXTACK_MAX];
        Told told = { .result = -ECANCELED };

        if (!connected())
                return;
        ck_assert_int_eq(ask(request(NLM_F_DUMP, CTRL_CMD_GETFAMILY), &told, extack), -ECANCELED);
        ck_assert_uint_eq(told.n, 1);
        told = (Told){};
        ck_assert_int_eq(ask_for_family("nlctrl", &told, extack), 0);
        ck_assert_uint_eq(told.n, 1);
        genl_socket_free(control);
}
END_TEST

/* ENOENT could also mean that the family itself has got another number: it is asked twice. */
START_TEST(test_kernel_refuses) {
        char extack[EXTACK_MAX];

        if (!connected())
                return;
        ck_assert_int_eq(ask_for_family("hsvdpa-no-such", NULL, extack), -ENOENT);
        ck_assert_int_eq(ask(request(0, 200), NULL, extack), -EOPNOTSUPP);
        ck_assert_int_eq(ask(request(0, CTRL_CMD_GETFAMILY), NULL, extack), -EINVAL);
        ck_assert_int_eq(ask_for_family("nlctrl", NULL, extack), 0);
        genl_socket_free(control);
}
END_TEST

/* The kernel's words come along, and make part of a sentence. */
START_TEST(test_extack) {
        struct nl_msg *m = request(0, CTRL_CMD_GETFAMILY);
        char extack[EXTACK_MAX];

        if (!connected()) {
                nlmsg_free(m);
                return;
        }
        ck_assert_int_eq(nla_put_u8(m, CTRL_ATTR_FAMILY_ID, 1), 0);
        ck_assert_int_lt(ask(m, NULL, extack), 0);
        ck_assert_str_ne(extack, "");
        ck_assert_int_ne(extack[strlen(extack) - 1], '.');
        genl_socket_free(control);
}
END_TEST

START_TEST(test_no_family) {
        GenlSocket *s = NULL;
        char extack[EXTACK_MAX] = "";
        struct nl_msg *m;

        if (!connected())
                return;
        genl_socket_free(control);
        ck_assert_int_eq(genl_socket_new("hsvdpa-no-such", &s), 0);
        for (unsigned i = 0; i < 2; i++) {
                ck_assert_int_eq(genl_socket_open(s), -EPROTONOSUPPORT);
                m = request(0, 1);
                ck_assert_int_eq(genl_socket_request(s, m, NULL, extack), -EPROTONOSUPPORT);
                nlmsg_free(m);
        }
        genl_socket_free(s);
        ck_assert_ptr_null(genl_socket_free(NULL));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_request);
        tcase_add_test(tcase, test_dump);
        tcase_add_test(tcase, test_handler_fails);
        tcase_add_test(tcase, test_kernel_refuses);
        tcase_add_test(tcase, test_extack);
        tcase_add_test(tcase, test_no_family);
}

int main(void) {
        return unit_main("kernel-genl", add);
}
