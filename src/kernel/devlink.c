/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/devlink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/devlink-codec.h"
#include "kernel/genl.h"
#include "kernel/vdpa-sysfs.h"

/* Of those that say something of a function; many more than a host has. */
#define PORTS_MAX 65536u

/* How mlx5 calls them. */
#define RESOURCE_SUBFUNCTIONS "max_local_SFs"

struct Devlink {
        const char *root; /* borrowed */
        GenlSocket *netlink;
        DevlinkPort *ports; /* of VFs and SFs of this host that have a limit */
        size_t n_ports, n_allocated;
};

int devlink_new(const char *root, Devlink **ret) {
        _cleanup_(devlink_freep) Devlink *d = calloc(1, sizeof *d);
        int r;

        if (!d)
                return -ENOMEM;
        d->root = root;
        r = genl_socket_new(DEVLINK_FAMILY, &d->netlink);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(d);
        return 0;
}

Devlink *devlink_free(Devlink *d) {
        if (!d)
                return NULL;

        genl_socket_free(d->netlink);
        free(d->ports);
        free(d);
        return NULL;
}

static int append(Devlink *d, const DevlinkPort *port) {
        if (d->n_ports >= d->n_allocated) {
                size_t n = d->n_allocated > 0 ? 2 * d->n_allocated : 16;
                DevlinkPort *more;

                if (n > PORTS_MAX)
                        return -EOVERFLOW;
                more = realloc(d->ports, n * sizeof *more);
                if (!more)
                        return -ENOMEM;
                d->ports = more;
                d->n_allocated = n;
        }

        d->ports[d->n_ports++] = *port;
        return 0;
}

/* What makes no sense is one port less. */
static int on_port(void *userdata, struct nlmsghdr *m) {
        Devlink *d = userdata;
        DevlinkPort port;

        if (devlink_parse_port(m, &port) < 0 || !port.has_max_io_eqs || port.is_external ||
            port.flavour == DEVLINK_FLAVOUR_OTHER)
                return 0;
        return append(d, &port);
}

static void on_restart(void *userdata) {
        Devlink *d = userdata;

        d->n_ports = 0;
}

void devlink_refresh(Devlink *d) {
        const GenlHandler handler = { .reply = on_port, .restart = on_restart, .userdata = d };
        _cleanup_(nlmsg_freep) struct nl_msg *m = NULL;
        char extack[EXTACK_MAX];

        d->n_ports = 0;
        if (devlink_build_port_dump(&m) >= 0 && genl_socket_request(d->netlink, m, &handler, extack) < 0)
                d->n_ports = 0;
}

/* The kernel's number of an auxiliary device is not that of the subfunction. */
static bool get_sf_number(const char *root, const char *handle, uint32_t *ret) {
        char directory[SYSFS_PATH_MAX], path[SYSFS_PATH_MAX];
        long number;

        if (vdpa_sysfs_get_mgmtdev_path(root, handle, directory) < 0 ||
            sysfs_path(path, "%s/sfnum", directory) < 0 || sysfs_read_number(path, &number) < 0 || number < 0 ||
            number > (long) UINT32_MAX)
                return false;

        *ret = (uint32_t) number;
        return true;
}

static bool is_on(const DevlinkPort *port, const char *pci_function) {
        return strncmp(port->switch_handle, "pci/", 4) == 0 && strcmp(port->switch_handle + 4, pci_function) == 0;
}

/* Before Linux 6.7 a port does not name what is behind it; but its number and the function that has it tell. */
bool devlink_port_is_of(const DevlinkPort *port, const char *root, const MgmtdevInfo *info) {
        uint32_t number;

        if (port->function_handle[0])
                return strcmp(port->function_handle, info->handle) == 0;

        switch (port->flavour) {
        case DEVLINK_FLAVOUR_PCI_VF:
                return info->vf_index >= 0 && port->number == (uint32_t) info->vf_index &&
                       is_on(port, info->pci_pf);
        case DEVLINK_FLAVOUR_PCI_SF:
                return info->transport == TRANSPORT_SUBFUNCTION && is_on(port, info->pci_function) &&
                       get_sf_number(root, info->handle, &number) && port->number == number;
        case DEVLINK_FLAVOUR_OTHER:
                break;
        }

        return false;
}

bool devlink_get_max_io_eqs(const Devlink *d, const MgmtdevInfo *info, uint32_t *ret) {
        for (size_t i = 0; i < d->n_ports; i++)
                if (devlink_port_is_of(&d->ports[i], d->root, info)) {
                        *ret = d->ports[i].max_io_eqs;
                        return true;
                }

        return false;
}

/* One resource, over as many messages as it takes. */
typedef struct Search {
        bool found;
        uint64_t size;
} Search;

static int on_resources(void *userdata, struct nlmsghdr *m) {
        Search *search = userdata;

        return devlink_parse_resource(m, RESOURCE_SUBFUNCTIONS, &search->found, &search->size);
}

bool devlink_get_max_subfunctions(Devlink *d, const char *pci_function, uint32_t *ret) {
        Search search = {};
        const GenlHandler handler = { .reply = on_resources, .userdata = &search };
        _cleanup_(nlmsg_freep) struct nl_msg *m = NULL;
        char handle[HANDLE_MAX], extack[EXTACK_MAX];

        (void) snprintf(handle, sizeof handle, "pci/%s", pci_function);
        if (devlink_build_resources(handle, &m) < 0 || genl_socket_request(d->netlink, m, &handler, extack) < 0 ||
            !search.found || search.size > UINT32_MAX)
                return false;

        *ret = (uint32_t) search.size;
        return true;
}
