/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Binding and releasing, where a thread of the test plays the kernel: it waits at the FIFOs that stand for the
 * files of the drivers, and does to the tree what the kernel would do to sysfs. */
#include "kernel/binding.h"

#include <errno.h>
#include <pthread.h>
#include <sys/sysmacros.h>

#include "kernel/kernel.h"
#include "kernel/release.h"
#include "test-kernel.h"
#include "util/clock.h"

static Detached detached;

/* One answer of the kernel: somebody writes the override, then text to file, and before that returns this happens.
 */
typedef struct Answer {
        const char *override;
        const char *file;
        const char *text;
        void (*act)(void);
} Answer;

static bool override_is(const char *text) {
        char path[512];
        char *content = unit_read_file(tree_path(path, "sys/devices/a/driver_override"), NULL);
        bool is = strcmp(content, text) == 0;

        free(content);
        return is;
}

/* What is written to a FIFO has been taken before anyone reads it; to open it is what waits for the other end. So
 * the kernel is through before it opens it. */
static void *play(void *userdata) {
        const Answer *answer = userdata;
        char path[512], text[DEVICE_NAME_MAX] = "";
        ssize_t n;
        int fd;

        while (!override_is(answer->override))
                usleep(1000);
        answer->act();
        fd = open(tree_path(path, "%s", answer->file), O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        n = read(fd, text, sizeof text - 1);
        ck_assert_int_ge(n, 0);
        ck_assert_str_eq(text, answer->text);
        close(fd);
        return NULL;
}

static pthread_t kernel_begin(Answer *answer) {
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, play, answer), 0);
        return thread;
}

static void kernel_end(pthread_t thread) {
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void make_fifo(const char *file) {
        char path[512];

        tree_remove(file);
        ck_assert_int_eq(mkfifo(tree_path(path, "%s", file), 0600), 0);
}

static void make_netdev(void) {
        tree_file("sys/devices/a/virtio3/device", "0x0001\n");
        tree_directory("sys/devices/a/virtio3/net/eth1");
}

static void remove_netdev(void) {
        tree_remove("sys/devices/a/virtio3/net/eth1");
        tree_remove("sys/devices/a/virtio3/net");
        tree_remove("sys/devices/a/virtio3/device");
        tree_remove("sys/devices/a/virtio3");
}

static int release(BusDriver next, Failure *f) {
        return release_device(unit_directory(), &detached, "a", next, NULL, f);
}

static int attach(BusDriver driver, Failure *f) {
        int r = binding_attach(unit_directory(), &detached, "a", driver, false, f);

        return r < 0 ? r : binding_wait(unit_directory(), "a", driver, &(Endpoint){}, f);
}

static void check_override(const char *text) {
        tree_check_file("sys/devices/a/driver_override", text);
}

START_TEST(test_release_nothing) {
        Failure f = FAILURE_INIT;

        tree_bus();
        ck_assert_int_eq(release(BUS_DRIVER_NONE, &f), -ENODEV);
        ck_assert_int_eq(f.code, ERROR_DEVICE_NOT_FOUND);
        ck_assert_int_eq(attach(BUS_DRIVER_VHOST_VDPA, &f), -ENODEV);
        ck_assert_int_eq(f.code, ERROR_DEVICE_NOT_FOUND);
}
END_TEST

/* Also a device that seems to be free is asked of both drivers, since one may be about to let it go. */
START_TEST(test_release_unbound) {
        Failure f = FAILURE_INIT;

        tree_bus();
        tree_device("a");
        ck_assert_int_eq(release(BUS_DRIVER_NONE, &f), 0);
        check_override("none");
        tree_check_file(VDPA "/drivers/vhost_vdpa/unbind", "a");
        tree_check_file(VDPA "/drivers/virtio_vdpa/unbind", "a");
}
END_TEST

static void do_nothing(void) {
}

START_TEST(test_release_unbinding) {
        Answer answer = { "none", VDPA "/drivers/vhost_vdpa/unbind", "a", do_nothing };
        Failure f = FAILURE_INIT;
        pthread_t kernel;
        int r;

        tree_bus();
        tree_device("a");
        make_fifo(answer.file);
        ck_assert_int_eq(release(BUS_DRIVER_NONE, &f), -EBUSY);
        ck_assert_int_eq(f.code, ERROR_IN_USE);
        ck_assert_int_eq(release(BUS_DRIVER_NONE, &f), -EALREADY);
        ck_assert_int_eq(f.code, ERROR_BACKEND_FAILED);
        ck_assert_int_eq(attach(BUS_DRIVER_VHOST_VDPA, &f), -EALREADY);

        kernel = kernel_begin(&answer);
        kernel_end(kernel);
        tree_remove(answer.file);
        tree_file(answer.file, "");
        while ((r = release(BUS_DRIVER_NONE, &f)) == -EALREADY)
                usleep(1000);
        ck_assert_int_eq(r, 0);
}
END_TEST

static void unbind_virtio(void) {
        tree_remove(VDPA "/devices/a/driver");
        remove_netdev();
}

START_TEST(test_release_netdev) {
        Answer answer = { "none", VDPA "/drivers/virtio_vdpa/unbind", "a", unbind_virtio };
        Failure f = FAILURE_INIT;
        pthread_t kernel;

        tree_bus();
        tree_device("a");
        tree_driver("a", "virtio_vdpa");
        make_netdev();
        make_fifo(answer.file);
        kernel = kernel_begin(&answer);
        ck_assert_int_eq(release(BUS_DRIVER_NONE, &f), 0);
        kernel_end(kernel);
        tree_check_file(VDPA "/drivers/vhost_vdpa/unbind", "");
}
END_TEST

START_TEST(test_release_moved_netdev) {
        Failure f = FAILURE_INIT;

        tree_bus();
        tree_device("a");
        tree_driver("a", "virtio_vdpa");
        make_netdev();
        tree_remove("sys/devices/a/virtio3/net/eth1");
        ck_assert_int_eq(release(BUS_DRIVER_NONE, &f), -EBUSY);
        ck_assert_int_eq(f.code, ERROR_IN_USE);
        check_override("");
        tree_check_file(VDPA "/drivers/virtio_vdpa/unbind", "");
}
END_TEST

/* Whoever has removed the node may still have it open. */
START_TEST(test_release_without_node) {
        Failure f = FAILURE_INIT;

        tree_bus();
        tree_device("a");
        tree_driver("a", "vhost_vdpa");
        tree_file("sys/devices/a/vhost-vdpa-7/dev", "1:3\n");
        ck_assert_int_lt(release(BUS_DRIVER_NONE, &f), 0);
        ck_assert_int_eq(f.code, ERROR_BACKEND_FAILED);
        ck_assert_ptr_nonnull(strstr(f.detail, "vhost-vdpa-7"));
        check_override("");
        tree_check_file(VDPA "/drivers/vhost_vdpa/unbind", "");
}
END_TEST

START_TEST(test_release_other_driver) {
        Failure f = FAILURE_INIT;

        tree_bus();
        tree_device("a");
        tree_driver("a", "something");
        ck_assert_int_eq(release(BUS_DRIVER_NONE, &f), -EBUSY);
        ck_assert_int_eq(f.code, ERROR_BACKEND_FAILED);
        check_override("");
}
END_TEST

/* Unbinding that does not unbind. */
START_TEST(test_release_in_vain) {
        Failure f = FAILURE_INIT;

        tree_bus();
        tree_device("a");
        tree_driver("a", "virtio_vdpa");
        ck_assert_int_eq(release(BUS_DRIVER_NONE, &f), -EBUSY);
        ck_assert_int_eq(f.code, ERROR_BACKEND_FAILED);
}
END_TEST

static void bind_virtio(void) {
        tree_driver("a", "virtio_vdpa");
        make_netdev();
}

START_TEST(test_attach) {
        Answer answer = { "virtio_vdpa", VDPA "/drivers/virtio_vdpa/bind", "a", bind_virtio };
        Failure f = FAILURE_INIT;
        pthread_t kernel;

        tree_bus();
        tree_device("a");
        make_fifo(answer.file);
        kernel = kernel_begin(&answer);
        ck_assert_int_eq(attach(BUS_DRIVER_VIRTIO_VDPA, &f), 0);
        kernel_end(kernel);

        /* Nobody waits at the FIFO any more: this does not write to it. */
        ck_assert_int_eq(attach(BUS_DRIVER_VIRTIO_VDPA, &f), 0);
}
END_TEST

/* A device that was just made and is bound already takes one write, and it is said when that fails. */
START_TEST(test_attach_new) {
        Failure f = FAILURE_INIT;

        tree_bus();
        tree_device("a");
        bind_virtio();
        ck_assert_int_eq(binding_attach(unit_directory(), &detached, "a", BUS_DRIVER_VIRTIO_VDPA, true, &f), 0);
        check_override("virtio_vdpa");
        tree_remove("sys/devices/a/driver_override");
        ck_assert_int_lt(binding_attach(unit_directory(), &detached, "a", BUS_DRIVER_VIRTIO_VDPA, true, &f), 0);
        ck_assert_int_eq(f.code, ERROR_BACKEND_FAILED);
}
END_TEST

/* Numbered behind the last one, with a node of that number; else it is the long way's. */
START_TEST(test_take_next) {
        Endpoint last = { .kind = ENDPOINT_VHOST, .rdev = makedev(1, 6) }, endpoint;
        uint64_t inode = 0;
        char path[512];
        struct stat st;

        tree_bus();
        ck_assert(!binding_take_next(unit_directory(), "a", &last, &endpoint, &inode));
        tree_device("a");
        tree_directory("sys/devices/a/vhost-vdpa-7");
        ck_assert(!binding_take_next(unit_directory(), "a", &last, &endpoint, &inode));
        check_override("");
        if (mknod(tree_path(path, "dev/vhost-vdpa-7"), S_IFCHR | 0600, makedev(1, 7)) < 0)
                return;
        ck_assert(!binding_take_next(unit_directory(), "a", &(Endpoint){ .rdev = last.rdev }, &endpoint, &inode));
        last.rdev = makedev(2, 6);
        ck_assert(!binding_take_next(unit_directory(), "a", &last, &endpoint, &inode));
        last.rdev = makedev(1, 5);
        ck_assert(!binding_take_next(unit_directory(), "a", &last, &endpoint, &inode));
        check_override("");

        last.rdev = makedev(1, 6);
        ck_assert(binding_take_next(unit_directory(), "a", &last, &endpoint, &inode));
        check_override("vhost_vdpa");
        ck_assert_int_eq(endpoint.kind, ENDPOINT_VHOST);
        ck_assert_str_eq(endpoint.name, "/dev/vhost-vdpa-7");
        ck_assert_uint_eq(endpoint.rdev, makedev(1, 7));
        ck_assert(endpoint_is_current(unit_directory(), &endpoint));
        ck_assert_int_eq(stat(tree_path(path, "sys/devices/a"), &st), 0);
        ck_assert_uint_eq(inode, st.st_ino);
}
END_TEST

static void vanish(void) {
        tree_remove(VDPA "/devices/a");
}

START_TEST(test_attach_vanished) {
        Answer answer = { "vhost_vdpa", VDPA "/drivers/vhost_vdpa/bind", "a", vanish };
        Failure f = FAILURE_INIT;
        pthread_t kernel;

        tree_bus();
        tree_device("a");
        make_fifo(answer.file);
        kernel = kernel_begin(&answer);
        ck_assert_int_eq(attach(BUS_DRIVER_VHOST_VDPA, &f), -ENODEV);
        ck_assert_int_eq(f.code, ERROR_DEVICE_NOT_FOUND);
        kernel_end(kernel);
}
END_TEST

START_TEST(test_attach_without_driver) {
        Failure f = FAILURE_INIT;

        tree_directory(VDPA "/devices");
        tree_device("a");
        ck_assert_int_lt(attach(BUS_DRIVER_VHOST_VDPA, &f), 0);
        ck_assert_int_eq(f.code, ERROR_BACKEND_UNAVAILABLE);
        ck_assert_ptr_nonnull(strstr(f.detail, "modprobe vhost_vdpa"));
}
END_TEST

/* Everything that the backend answers without asking the kernel. */
START_TEST(test_backend) {
        char root[512];
        Backend *b = NULL;
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status;
        Failure f = FAILURE_INIT;

        memset(root, '/', sizeof root - 1);
        root[sizeof root - 1] = '\0';
        ck_assert_int_eq(kernel_backend_new(root, NULL, false, NULL, 0, &b), -ENAMETOOLONG);
        ck_assert_ptr_null(b);

        tree_bus();
        ck_assert_int_eq(kernel_backend_new(unit_directory(), NULL, false, NULL, 0, &b), 0);
        ck_assert_str_eq(b->ops->name, "kernel");
        ck_assert_int_eq(b->ops->destroy(b, "a", NULL, &f), 0);
        ck_assert_int_eq(b->ops->observe(b, "a", mgmtdev, &status, &f), -ENODEV);
        ck_assert_int_eq(f.code, ERROR_DEVICE_NOT_FOUND);
        ck_assert_int_eq(b->ops->bind(b, "a", BUS_DRIVER_VHOST_VDPA, &f), -ENODEV);
        ck_assert_int_eq(f.code, ERROR_DEVICE_NOT_FOUND);
        b->ops->free(b);
}
END_TEST

/* These would do harm in the kernel, so it is not even asked. */
START_TEST(test_backend_refuses) {
        Backend *b = NULL;
        DeviceSpec spec;
        Failure f = FAILURE_INIT;

        device_spec_init(&spec);
        spec.class = CLASS_NET;
        tree_bus();
        tree_pci_device("0000:01:00.0", "a");
        tree_link("sys/devices/pci0/0000:01:00.0/driver", "../../../bus/pci/drivers/vp-vdpa");
        tree_link("sys/bus/pci/devices/0000:01:00.0", "../../../devices/pci0/0000:01:00.0");
        ck_assert_int_eq(kernel_backend_new(unit_directory(), NULL, false, NULL, 0, &b), 0);
        ck_assert_int_eq(b->ops->create(b, "a", "pci/0000:01:00.0", &spec, &f), -EEXIST);
        ck_assert_int_eq(f.code, ERROR_FOREIGN_DEVICE);
        ck_assert_int_eq(b->ops->create(b, "b", "pci/0000:01:00.0", &spec, &f), -ENOSPC);
        ck_assert_int_eq(f.code, ERROR_NO_CAPACITY);

        spec.n_vq_groups = 2;
        ck_assert_int_eq(b->ops->create(b, "b", "vdpasim_net", &spec, &f), -EOPNOTSUPP);
        ck_assert_int_eq(f.code, ERROR_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(f.detail, "virtqueue groups"));
        b->ops->free(b);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_release_nothing);
        tcase_add_test(tcase, test_release_unbound);
        tcase_add_test(tcase, test_release_unbinding);
        tcase_add_test(tcase, test_release_netdev);
        tcase_add_test(tcase, test_release_moved_netdev);
        tcase_add_test(tcase, test_release_without_node);
        tcase_add_test(tcase, test_release_other_driver);
        tcase_add_test(tcase, test_release_in_vain);
        tcase_add_test(tcase, test_attach);
        tcase_add_test(tcase, test_attach_new);
        tcase_add_test(tcase, test_take_next);
        tcase_add_test(tcase, test_attach_vanished);
        tcase_add_test(tcase, test_attach_without_driver);
        tcase_add_test(tcase, test_backend);
        tcase_add_test(tcase, test_backend_refuses);
}

int main(void) {
        return unit_main("kernel-binding", add);
}
