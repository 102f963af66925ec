/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What cppcheck has to know of <sys/queue.h>, which it does not read: the macros that are followed by a block. */

#define LIST_FOREACH(var, head, field)   for (var = (head)->lh_first; var; var = var->field.le_next)
#define STAILQ_FOREACH(var, head, field) for (var = (head)->stqh_first; var; var = var->field.stqe_next)
#define TAILQ_FOREACH(var, head, field)  for (var = (head)->tqh_first; var; var = var->field.tqe_next)
