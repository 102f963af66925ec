/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl capacity */

#include <errno.h>

#include "ctl/budget.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/value.h"

static int print_mgmtdev(const Screen *s, const HsvValue *mgmtdev) {
        _cleanup_free_ char *handle = value_format(hsv_value_get(mgmtdev, "/handle"), ",");
        _cleanup_free_ char *classes = value_format(hsv_value_get(mgmtdev, "/classes"), ", ");

        if (!handle || !classes)
                return -ENOMEM;
        (void) fprintf(s->file, "%s%s%s", handle,
                       hsv_value_is_true(hsv_value_get(mgmtdev, "/cordoned")) ? " (cordoned)" : "",
                       hsv_value_is_true(hsv_value_get(mgmtdev, "/present")) ? "" : " (not there now)");
        (void) fputs(": ", s->file);
        text_wrap(s->file, classes, 4, s->width);
        (void) fputc('\n', s->file);
        return budgets_print(s, mgmtdev);
}

static const Field vf_fields[] = {
        { "  Devices at the most", "/vfs/most_devices" },
        { "  Devices now", "/vfs/used_devices" },
        { "  VFs in all", "/vfs/total" },
        { "  VFs made, all up front", "/vfs/made" },
        { "  VFs without a bus number", "/vfs/unreachable" },
        { "  Bus numbers of 256, now", "/vfs/bus_numbers/used" },
        { "  Bus numbers of 256, with all VFs", "/vfs/bus_numbers/with_all" },
        { "  Device ID, of all VFs", "/vfs/device_id", .keep_null = true },
        { "  MSI-X entries a VF at the most", "/vfs/msis_per_vf" },
        { "  MSI-X entries of all VFs", "/vfs/msis" },
        { "  Classes", "/vfs/classes" },
        { "  Management devices", "/vfs/mgmtdevs" },
};

static const Field managed_fields[] = {
        { "  Devices at the most", "/managed/most_devices", .keep_null = true },
        { "  Subfunctions at the most", "/managed/max_subfunctions" },
        { "  Devices now, made one by one", "/managed/used_devices" },
        { "  MSI entries", "/managed/msis", .keep_null = true },
        { "  Classes", "/managed/classes" },
        { "  Management devices", "/managed/mgmtdevs" },
};

/* What the VFs of a PF give beside what managed devices on it give. */
static int print_pf(const Screen *s, const HsvValue *pf) {
        _cleanup_free_ char *address = value_format(hsv_value_get(pf, "/pf"), ",");

        if (!address)
                return -ENOMEM;
        (void) fprintf(s->file, "\n%s, by its virtual functions (SR-IOV)\n", address);
        if (fields_print(s, pf, vf_fields, ELEMENTSOF(vf_fields)) < 0)
                return -ENOMEM;
        (void) fprintf(s->file, "%s, by managed devices\n", address);
        return fields_print(s, pf, managed_fields, ELEMENTSOF(managed_fields));
}

static int print_all(const Screen *s, const HsvValue *mgmtdevs, const HsvValue *sriov) {
        if (hsv_value_count(mgmtdevs) == 0)
                (void) fputs("No management devices.\n", s->file);
        for (size_t i = 0; i < hsv_value_count(mgmtdevs); i++)
                if (print_mgmtdev(s, hsv_value_at(mgmtdevs, i)) < 0)
                        return -ENOMEM;
        for (size_t i = 0; i < hsv_value_count(sriov); i++)
                if (print_pf(s, hsv_value_at(sriov, i)) < 0)
                        return -ENOMEM;
        return 0;
}

static ExitCode print_document(const Context *context, const HsvValue *mgmtdevs, const HsvValue *sriov) {
        _cleanup_free_ char *items = hsv_value_encode(mgmtdevs), *functions = hsv_value_encode(sriov), *text = NULL;

        if (items && functions)
                text = text_format("{\"mgmtdevs\":%s,\"sriov\":%s}", items, functions);
        return text ? output_document(context, text) : report_oom();
}

static ExitCode capacity_show(Context *context, const Arguments *arguments) {
        _cleanup_(document_freep) HsvDocument *list = NULL, *host = NULL;
        const HsvValue *mgmtdevs, *sriov;
        int r;

        r = hsv_mgmtdev_list(context->client, &list);
        if (r == 0)
                r = hsv_host_get(context->client, &host);
        if (r != 0)
                return report_failure(context->client, r, "capacity");

        mgmtdevs = hsv_value_get(hsv_document_root(list), "/items");
        sriov = hsv_value_get(hsv_document_root(host), "/sriov");
        if (format_is_document(context->format))
                return print_document(context, mgmtdevs, sriov);
        return print_all(&context->screen, mgmtdevs, sriov) < 0 ? report_oom() : EXIT_CODE_OK;
}

static const Verb verbs[] = {
        { .name = "show",
          .synopsis = "",
          .help = "Show what there is of each resource, who has it, and what SR-IOV would give",
          .details = "In parentheses stand the source of a total, and who refuses more.",
          .run = capacity_show },
        {},
};

const Noun noun_capacity = {
        .name = "capacity", .help = "Resources of all management devices", .verbs = verbs, .default_verb = &verbs[0]
};
