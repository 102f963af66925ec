/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The file behind the model: its layout, and how it is made, opened, checked and given room. What the entries of
 * the tables mean is the model's business.
 *
 * The tables of IDs (see sim/model-table.h) come after the layout below, each with room for IDS_MAX of them; they
 * are mapped one by one, and only as far as they are used. */

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "inventory/error.h"
#include "inventory/mgmtdev.h"
#include "inventory/resource.h"
#include "sim/model.h"

/* "hsvdpa", the kind of file, and no text. */
#define MODEL_MAGIC "hsvdpaS\x01"

/* Grows with every change of the layout below. */
#define MODEL_LAYOUT_VERSION 2u

/* The state of an entry of a table. No other values: what is neither is damage. */
#define MODEL_ENTRY_FREE 0u
#define MODEL_ENTRY_LIVE 0x4c495645u

/* Room for what devices hold and have no room for in their slot; see sim/model-map.h. */
#define MODEL_BLOCKS_MAX  1048576u
#define MODEL_BLOCK_WORDS 64u
#define MODEL_TABLES_MAX  (2 * MODEL_MGMTDEVS_MAX)
#define MODEL_TABLE_SIZE  (IDS_MAX * sizeof(uint64_t))
#define MODEL_FILE_SIZE   (sizeof(ModelLayout) + MODEL_TABLES_MAX * (uint64_t) MODEL_TABLE_SIZE)

typedef struct ModelHeader {
        char magic[8];
        uint32_t layout_version;
        uint32_t n_mgmtdevs; /* of the tables, in entries */
        uint32_t n_devices;
        uint32_t device_size;
        _Atomic uint32_t high_water; /* device slots below it have been used at some time, those above never */
        uint32_t n_blocks;
        uint32_t reserved[8];
} ModelHeader;

/* The text of the last fault is the one of the parity of n_faults, so that it changes with it in one store. */
typedef struct ModelMgmtdev {
        _Atomic uint32_t state;
        uint32_t asid_kind; /* an AsidKind */
        uint32_t space;     /* the number of its table of address spaces, which others can share */
        _Atomic uint32_t n_dma_refused;
        _Atomic uint32_t n_asids; /* as large as the tables have ever been */
        _Atomic uint32_t n_msis;
        _Atomic uint64_t n_faults;
        _Atomic uint64_t n_dma;
        _Atomic uint64_t n_interrupts;
        char fault[2][MODEL_FAULT_MAX];
        char handle[HANDLE_MAX];
        char pci_function[20];
        _Atomic uint32_t n_interrupts_refused;
} ModelMgmtdev;

typedef struct ModelBlock {
        _Atomic uint32_t words[MODEL_BLOCK_WORDS];
} ModelBlock;

/* Mostly a hole. */
typedef struct ModelLayout {
        ModelHeader header;
        ModelMgmtdev mgmtdevs[MODEL_MGMTDEVS_MAX];
        alignas(65536) ModelDevice devices[MODEL_DEVICES_MAX];
        alignas(65536) ModelBlock blocks[MODEL_BLOCKS_MAX];
} ModelLayout;

/* A part of the file that gets its memory piece by piece. */
#define MODEL_PIECE_SIZE 65536u
#define MODEL_PIECES_MAX 4096u

typedef struct ModelArea {
        uint64_t offset; /* in the file */
        uint64_t size;
        uint64_t backed[MODEL_PIECES_MAX / 64]; /* bits: the pieces that are known to have memory */
} ModelArea;

typedef struct ModelFile {
        int fd; /* holds the lock that keeps a second process out */
        ModelLayout *layout;
        ModelArea devices;
        ModelArea blocks;
} ModelFile;

/* Opens the file, or makes it. Returns as model_open(). */
int model_file_open(ModelFile *file, const char *directory, Failure *f);
void model_file_close(ModelFile *file);

/* Makes sure that n bytes from there on in the area have memory: to touch a hole of a file system that is full is a
 * SIGBUS, even to read. Returns 0, or a negative errno. */
int model_file_back(ModelFile *file, ModelArea *area, uint64_t from, uint64_t n);

/* Gives the memory of an area back; what was in it reads as zero then. */
void model_file_drop(ModelFile *file, ModelArea *area);

/* Fills f and returns -EUCLEAN: format and the rest say what is wrong where. */
int model_file_damaged(const char *directory, Failure *f, const char *format, ...) _printf_(3, 4);
