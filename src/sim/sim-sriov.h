/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The functions whose VFs are simulated: what SR-IOV would be like with the management devices that are there. */

#include "sim/sim-unit.h"

/* One for each PF that a VF of the units names, in order of address, with as many VFs as the highest index asks
 * for. The array is the caller's to free(). Returns 0, or -ENOMEM with f set. */
int sim_units_list_sriov(const SimUnit *units, size_t n, BackendSriov **ret, size_t *ret_n, Failure *f);
