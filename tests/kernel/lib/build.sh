# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154  # here, cache, self and product are machine's
# shellcheck disable=SC2164  # cd: provide() runs every recipe under set -e
#
# The recipes. Everything comes from Debian's own packages, by way of this host's apt configuration: no host name, no
# checksum and no vendored source is kept here, and apt checks the signatures.
#
#   kernel     vmlinuz and the few modules of interest, from Debian's 6.12 for bookworm
#   sim        the vDPA simulators and vp_vdpa, which Debian does not switch on, built from the source of that same kernel
#   base       a minimal Debian with what tests and the daemon need at run time
#   root       base + modules + our own files, as a disk image, with an initramfs that can mount it

readonly debian_suite=bookworm
readonly kernel_series=6.12
# bookworm's own kernel has no vDPA at all; this is the backport that its security suite carries.
readonly kernel_pattern="linux-image-${kernel_series//./\\.}\\.[0-9]+\\+deb12-amd64-unsigned"

# What a run needs, and what tests may want to put beside a vDPA device. Their dependencies are found by depmod.
readonly kernel_modules=(ext4 virtio_blk virtio_net vdpa vduse vhost_vdpa virtio_vdpa vhost_net vhost_vsock
        tun veth bridge dummy macvlan macvtap loop overlay fuse autofs4 configfs 9p 9pnet_virtio virtio_rng
        vfio_pci vsock_diag nf_tables ip_tables)
# Loaded by the initramfs, before there is a root.
readonly boot_modules=(virtio_blk ext4)

# Sets kernel_package, kernel_version (of the package) and kernel_release (as uname -r says it). Asking apt takes a second,
# which is most of what a build with nothing to do would take: so the answer is kept until apt's lists change.
find_kernel() {
        local memo=$cache/newest-kernel lists=/var/lib/apt/lists
        if [[ ! -s $memo || $lists -nt $memo ]]; then
                local package version
                package=$(apt-cache pkgnames "linux-image-$kernel_series." | grep -xE "$kernel_pattern" |
                        sort -V | tail -n 1) || true
                if [[ -z $package ]]; then
                        # Without lists (a fresh container) an older kernel that is in the cache is as good.
                        [[ -s $memo ]] || die "apt knows no $kernel_series kernel for $debian_suite: is the" \
                                "security suite among its sources, and 'apt-get update' done?"
                else
                        version=$(apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p')
                        if [[ ! -e $cache || -w $cache ]]; then
                                mkdir -p "$cache"
                                echo "$package $version" >"$memo.$$"
                                mv -- "$memo.$$" "$memo"
                        else
                                kernel_package=$package kernel_version=$version
                        fi
                fi
        fi
        [[ -n ${kernel_package-} ]] || read -r kernel_package kernel_version <"$memo"
        kernel_release=${kernel_package#linux-image-}
        kernel_release=${kernel_release%-unsigned}
}

build_all() {
        find_kernel
        provide kernel "$kernel_version" "${kernel_modules[*]}"
        provide sim "${product[kernel]##*/}" "$here/sim"
        provide base "$debian_suite" "$here/root/packages"
        provide root "${product[base]##*/}" "${product[kernel]##*/}" "${product[sim]##*/}" "${boot_modules[*]}" \
                "$(declare -f make_initramfs)" "$here/root/init" "$here/root/tree"
        unlock_cache
}

# download PACKAGE[=VERSION]...: into the working directory.
download() {
        # As root and not as _apt, who may not write here.
        apt-get -q -o APT::Sandbox::User=root download "$@"
}

make_kernel() {
        local out=$1
        cd -- "$out"
        mkdir unpack
        (cd unpack && download "$kernel_package=$kernel_version" && dpkg-deb -x ./*.deb . && rm -- ./*.deb)
        mv "unpack/boot/vmlinuz-$kernel_release" vmlinuz

        # depmod needs all modules to tell what depends on what; then take the few, unpacked: neither an initramfs' insmod
        # nor an emulated processor should spend its time on xz.
        local all=unpack/lib/modules/$kernel_release to=lib/modules/$kernel_release
        depmod -b unpack "$kernel_release"
        mkdir -p "$to"
        cp "$all"/modules.builtin "$all"/modules.builtin.modinfo "$all"/modules.order "$to"
        local module
        for module in "${kernel_modules[@]}"; do
                modprobe -d "$PWD/unpack" -S "$kernel_release" --show-depends --ignore-install "$module"
        done | sed -n "s,^insmod .*/$kernel_release/\\([^ ]*\\).*,\\1,p" | sort -u >modules.list
        while read -r module; do
                mkdir -p "$to/${module%/*}"
                case $module in
                *.xz) xz -dc "$all/$module" >"$to/${module%.xz}" ;;
                *) cp "$all/$module" "$to/$module" ;;
                esac
        done <modules.list
        depmod -b . "$kernel_release"
        rm -rf unpack
}

make_sim() {
        local out=$1
        cd -- "$out"
        mkdir work
        cd work
        local headers=linux-headers-${kernel_release%-amd64}
        download "$headers-amd64=$kernel_version" "$headers-common=$kernel_version" \
                "${headers/headers/kbuild}=$kernel_version" "linux-source-$kernel_series=$kernel_version"
        local deb
        for deb in linux-headers-*.deb linux-kbuild-*.deb; do
                dpkg-deb -x "$deb" .
        done
        # The two header packages find each other by absolute paths, where they are not installed.
        sed -i "s,/usr/src/,$PWD/usr/src/,g" "usr/src/$headers-amd64/Makefile"

        local source=linux-source-$kernel_series
        dpkg-deb --fsys-tarfile "$source"_*.deb | tar -xO "./usr/src/$source.tar.xz" | xz -dc -T0 |
                tar -x --strip-components=1 --wildcards "$source/drivers/vdpa/vdpa_sim/*" \
                        "$source/drivers/vdpa/virtio_pci/*" "$source/drivers/vhost/*"
        mkdir build
        cp drivers/vdpa/vdpa_sim/*.[ch] drivers/vdpa/virtio_pci/*.c drivers/vhost/vringh.c "$here/sim/Kbuild" build
        # Type information for BPF would need pahole, and nobody asks for it here.
        make -C "usr/src/$headers-amd64" M="$PWD/build" -j"$(nproc)" CONFIG_DEBUG_INFO_BTF_MODULES= modules

        local to=$out/lib/modules/$kernel_release/updates
        mkdir -p "$to"
        cp build/*.ko "$to"
        strip --strip-debug "$to"/*.ko
        cd -- "$out"
        rm -rf work
}

make_base() {
        local out=$1 mirror packages
        # The same mirror that this host uses; the last condition leaves out what apt has from third parties.
        # shellcheck disable=SC2016  # apt expands it
        mirror=$(apt-get indextargets --format '$(REPO_URI)' \
                "Codename: $debian_suite" 'Component: main' 'Created-By: Packages' 'Origin: Debian' | head -n 1)
        [[ -n $mirror ]] || die "apt has no source for $debian_suite"
        packages=$(sed 's/#.*//' "$here/root/packages" | xargs | tr ' ' ,)
        debootstrap --variant=minbase --include="$packages" "$debian_suite" "$out/tree" "$mirror"
        # What no test reads would only make the image slower to write.
        rm -rf "$out/tree"/var/cache/apt/* "$out/tree"/var/lib/apt/lists/* "$out/tree"/usr/share/{doc,man,locale,info}/*
}

make_root() {
        local out=$1 tree=$1/tree release=$kernel_release
        cp -a "${product[base]}/tree" "$tree"
        # /lib is a link in the tree, and would be replaced by a directory if it were copied as one.
        mkdir -p "$tree/usr/lib/modules"
        cp -a "${product[kernel]}/lib/modules/." "${product[sim]}/lib/modules/." "$tree/usr/lib/modules/"
        depmod -b "$tree" "$release"
        cp -a --no-preserve=ownership "$here/root/tree/." "$tree/"

        echo hsvdpa-test >"$tree/etc/hostname"
        echo '127.0.0.1 localhost hsvdpa-test' >"$tree/etc/hosts"
        # Without an identity systemd takes each boot for the first one, and enables every unit there is.
        systemd_machine_id >"$tree/etc/machine-id"
        mkdir -p "$tree/results" "$tree/tests"
        ln -sf /usr/lib/systemd/system/multi-user.target "$tree/etc/systemd/system/default.target"
        # None of this is of use here, and each takes a part of a second of an emulated processor. debugfs and tracefs stay,
        # for whoever hunts something in the kernel.
        local unneeded
        for unneeded in apt-daily.timer apt-daily-upgrade.timer dev-hugepages.mount dev-mqueue.mount \
                dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target \
                ldconfig.service man-db.timer modprobe@dm_mod.service modprobe@drm.service \
                modprobe@efi_pstore.service modprobe@loop.service proc-sys-fs-binfmt_misc.automount \
                systemd-binfmt.service systemd-hwdb-update.service systemd-network-generator.service \
                systemd-pcrphase-sysinit.service systemd-pcrphase.service systemd-pstore.service \
                systemd-random-seed.service systemd-update-utmp-runlevel.service systemd-update-utmp.service; do
                ln -sf /dev/null "$tree/etc/systemd/system/$unneeded"
        done
        mkdir -p "$tree/etc/systemd/system-generators"
        for unneeded in bless-boot cryptsetup getty gpt-auto hibernate-resume integritysetup rc-local \
                system-update sysv veritysetup; do
                ln -sf /dev/null "$tree/etc/systemd/system-generators/systemd-$unneeded-generator"
        done
        touch "$tree/etc/.updated" "$tree/var/.updated"

        # Sparse: costs what is in it, and leaves tests some room.
        mke2fs -q -t ext4 -d "$tree" -E lazy_itable_init=1,lazy_journal_init=1,nodiscard -m 0 "$out/root.img" 6G
        make_initramfs "$tree" "$release" "$out/initramfs"
        rm -rf "$tree"
}

systemd_machine_id() {
        tr -d - </proc/sys/kernel/random/uuid
}

# make_initramfs TREE RELEASE FILE
make_initramfs() {
        local tree=$1 release=$2 file=$3 work
        work=$(mktemp -d)
        mkdir -p "$work"/{bin,dev,proc,sys,root,modules}
        cp /bin/busybox "$work/bin/busybox"
        cp "$here/root/init" "$work/init"
        chmod 755 "$work/init"
        local module
        for module in "${boot_modules[@]}"; do
                modprobe -d "$tree" -S "$release" --show-depends --ignore-install "$module"
        done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r module; do
                cp "$module" "$work/modules"
                echo "${module##*/}" >>"$work/modules/order"
        done
        (cd "$work" && find . | cpio -o -H newc --quiet) >"$file"
        rm -rf "$work"
}
