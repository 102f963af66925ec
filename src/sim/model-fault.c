/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/model-fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int model_raise_fault(Model *m, unsigned mgmtdev, Failure *f, const char *format, ...) {
        ModelMgmtdev *unit = &m->file.layout->mgmtdevs[mgmtdev];
        uint64_t n = atomic_load(&unit->n_faults) + 1;
        char *text = unit->fault[n % 2];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(text, MODEL_FAULT_MAX, format, ap);
        va_end(ap);
        atomic_store_explicit(&unit->n_faults, n, memory_order_release);

        return failure_set(f, ERROR_BACKEND_FAILED, EIO, "The simulated management device %s raises a fault: %s",
                           unit->handle, text);
}

bool model_fault_is_valid(const char text[MODEL_FAULT_MAX]) {
        const char *end = memchr(text, 0, MODEL_FAULT_MAX);

        for (const char *p = text; end && p < end; p++)
                if (*p < ' ' || *p > '~')
                        return false;
        return end;
}

ModelCounts model_mgmtdev_counts(const Model *m, unsigned mgmtdev) {
        const ModelMgmtdev *unit = &m->file.layout->mgmtdevs[mgmtdev];
        uint64_t n = atomic_load_explicit(&unit->n_faults, memory_order_acquire);

        return (ModelCounts){
                .n_faults = n,
                .n_dma = atomic_load_explicit(&unit->n_dma, memory_order_relaxed),
                .n_interrupts = atomic_load_explicit(&unit->n_interrupts, memory_order_relaxed),
                .n_dma_refused = atomic_load_explicit(&unit->n_dma_refused, memory_order_relaxed),
                .n_interrupts_refused = atomic_load_explicit(&unit->n_interrupts_refused, memory_order_relaxed),
                .last_fault = n > 0 ? unit->fault[n % 2] : "",
        };
}
