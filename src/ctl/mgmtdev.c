/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl mgmtdev */

#include "ctl/mgmtdev.h"
#include "ctl/budget.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/watch.h"

#define IF_EMPTY "No management devices."

static const Column columns[] = {
        { "HANDLE", "/handle", .importance = 1, .min_width = 24 },
        { "CLASSES", "/classes", .importance = 2, .min_width = 12 },
        { "DEVICES", "/budgets/devices/used", .importance = 3, .min_width = 7, .align_right = true },
        { "FREE", "/budgets/devices/free", .importance = 4, .min_width = 7, .align_right = true },
        { "MAX-VQS", "/max_vqs", .importance = 6, .min_width = 7, .align_right = true },
        { "FOREIGN", "/foreign_devices", .importance = 8, .min_width = 7, .align_right = true },
        { "CORDONED", "/cordoned", .importance = 10, .min_width = 8 },
        { "TRANSPORT", "/transport", .importance = 7, .min_width = 11 },
        { "NUMA", "/numa_node", .importance = 9, .min_width = 4, .align_right = true },
        { "PRESENT", "/present", .importance = 5, .min_width = 7, .style = style_of_good },
        { "SIMULATED", "/simulated", .importance = 11, .min_width = 9 },
        { "REVISION", "/revision", .importance = 12, .min_width = 8, .align_right = true, .is_wide = true },
        { "SOURCE", "/budgets/devices/source", .importance = 13, .min_width = 7, .is_wide = true },
        { "ENFORCED-BY", "/budgets/devices/enforced_by", .importance = 14, .min_width = 11, .is_wide = true },
        { "FEATURES", "/features", .importance = 15, .min_width = 12, .is_wide = true },
};

static const Field fields[] = {
        { "Handle", "/handle" },
        { "Present", "/present", .style = style_of_good },
        { "Simulated", "/simulated" },
        { "Transport", "/transport" },
        { "NUMA node", "/numa_node", .keep_null = true },
        { "Classes", "/classes" },
        { "Features", "/features" },
        { "Virtqueues a device", "/max_vqs", .keep_null = true },
        { "Accepts", "/accepts" },
        { "Cordoned", "/cordoned" },
        { "Labels", "/labels" },
        { "ASIDs", "/asid_kind" },
        { "  shared by all of", "/asid_space" },
        { "PCI function", "/pci_function" },
        { "VF of", "/sriov/pf" },
        { "  index", "/sriov/vf_index" },
        { "Faults", "/faults/total" },
        { "  last one", "/faults/last" },
        { "DMA transfers", "/traffic/dma" },
        { "  refused", "/traffic/dma_refused" },
        { "Interrupts", "/traffic/interrupts" },
        { "  refused", "/traffic/interrupts_refused" },
        { "Foreign devices", "/foreign_devices" },
        { "Revision", "/revision" },
};

static int look(Context *context, void *userdata, Watch *watch) {
        _cleanup_(document_freep) HsvDocument *document = NULL;
        int r;

        r = hsv_mgmtdev_list(context->client, &document);
        return r != 0 ? r : watch_add(watch, hsv_value_get(hsv_document_root(document), "/items"));
}

static const WatchedList watched_list = {
        .subject = "mgmtdev list",
        .columns = columns,
        .n_columns = ELEMENTSOF(columns),
        .key = "/handle",
        .if_empty = IF_EMPTY,
        .look = look,
};

static ExitCode mgmtdev_list(Context *context, const Arguments *arguments) {
        HsvDocument *document = NULL;
        int r;

        if (arguments_has(arguments, "watch"))
                return watch_list(context, arguments, &watched_list);
        r = hsv_mgmtdev_list(context->client, &document);
        return output_items(context, r, document, "mgmtdev list", columns, ELEMENTSOF(columns), IF_EMPTY);
}

static int get(HsvClient *client, const char *handle, uint64_t revision, HsvDocument **ret) {
        return hsv_mgmtdev_get(client, handle, ret);
}

static ExitCode print_mgmtdev(const Context *context, const HsvValue *mgmtdev) {
        const Screen *screen = &context->screen;

        if (fields_print(screen, mgmtdev, fields, ELEMENTSOF(fields)) < 0)
                return report_oom();
        (void) fputs("Budgets:\n", screen->file);
        return budgets_print(screen, mgmtdev) < 0 ? report_oom() : EXIT_CODE_OK;
}

static ExitCode mgmtdev_show(Context *context, const Arguments *arguments) {
        _cleanup_free_ char *subject = text_format("mgmtdev %s", arguments->operands[0]);
        WatchedObject watched = {
                .subject = subject,
                .name = arguments->operands[0],
                .get = get,
                .show = print_mgmtdev,
        };
        _cleanup_(document_freep) HsvDocument *document = NULL;
        int r;

        if (!subject)
                return report_oom();
        if (arguments_has(arguments, "watch"))
                return watch_object(context, arguments, &watched);
        r = hsv_mgmtdev_get(context->client, arguments->operands[0], &document);
        if (r != 0)
                return report_failure(context->client, r, subject);
        if (format_is_document(context->format))
                return output_document(context, hsv_document_text(document));
        return print_mgmtdev(context, hsv_document_root(document));
}

static const Option watch_options[] = { WATCH_OPTIONS, {} };

static const Verb verbs[] = {
        { .name = "list",
          .synopsis = "[OPTION...]",
          .options = watch_options,
          .help = "List what can make devices, and how much room there is",
          .details = "A dash means that it is not known, or that there is no limit.",
          .run = mgmtdev_list },
        { .name = "show",
          .synopsis = "HANDLE [OPTION...]",
          .options = watch_options,
          .help = "Show one management device",
          .details =
                  "HANDLE is the kernel's: BUS/DEVICE, such as pci/0000:01:00.0, or DEVICE, such as vdpasim_net.",
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_MGMTDEVS,
          .run = mgmtdev_show },
        { .name = "cordon",
          .synopsis = "HANDLE",
          .help = "Place no more devices on it",
          .details = "Devices that are there stay.",
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_MGMTDEVS,
          .run = mgmtdev_cordon },
        { .name = "uncordon",
          .synopsis = "HANDLE",
          .help = "Place devices on it again",
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_MGMTDEVS,
          .run = mgmtdev_uncordon },
        { .name = "set",
          .synopsis = "HANDLE OPTION...",
          .options = mgmtdev_set_options,
          .help = "Change its labels, and how much there is to be had of it",
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_MGMTDEVS,
          .run = mgmtdev_set },
        {},
};

const Noun noun_mgmtdev = { .name = "mgmtdev", .help = "Management devices", .verbs = verbs };
