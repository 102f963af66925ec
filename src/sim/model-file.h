/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The file behind the model: its layout, and how it is made, opened, checked and given room. What the entries of
 * the tables mean is the model's business. */

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "inventory/error.h"
#include "sim/model.h"

/* "hsvdpa", the kind of file, and no text. */
#define MODEL_MAGIC "hsvdpaS\x01"

/* Grows with every change of the layout below. */
#define MODEL_LAYOUT_VERSION 1u

/* The state of an entry of a table. No other values: what is neither is damage. */
#define MODEL_ENTRY_FREE 0u
#define MODEL_ENTRY_LIVE 0x4c495645u

typedef struct ModelHeader {
        char magic[8];
        uint32_t layout_version;
        uint32_t n_mgmtdevs; /* of the tables, in entries */
        uint32_t n_devices;
        uint32_t device_size;
        _Atomic uint32_t high_water; /* device slots below it have been used at some time, those above never */
        uint32_t reserved[9];
} ModelHeader;

typedef struct ModelMgmtdev {
        _Atomic uint32_t state;
        char handle[HANDLE_MAX];
} ModelMgmtdev;

/* The whole file, mostly a hole. */
typedef struct ModelLayout {
        ModelHeader header;
        ModelMgmtdev mgmtdevs[MODEL_MGMTDEVS_MAX];
        alignas(16384) ModelDevice devices[MODEL_DEVICES_MAX];
} ModelLayout;

typedef struct ModelFile {
        int fd; /* holds the lock that keeps a second process out */
        ModelLayout *layout;
        uint32_t n_backed; /* device slots that have memory */
} ModelFile;

/* Opens the file, or makes it. Returns as model_open(). */
int model_file_open(ModelFile *file, const char *directory, Failure *f);
void model_file_close(ModelFile *file);

/* Makes sure that the first n device slots have memory: to touch a hole of a file system that is full is a SIGBUS.
 * Returns 0, or a negative errno. */
int model_file_back(ModelFile *file, uint32_t n);

/* Fills f and returns -EUCLEAN: format and the rest say what is wrong where. */
int model_file_damaged(const char *directory, Failure *f, const char *format, ...) _printf_(3, 4);
