# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154  # here, cache and product are machine's
#
# One run. All of its state is a directory of its own, so that any number of runs can go on side by side:
#
#   root.qcow2    what this run writes to its root disk, over the one in the cache, which nobody ever writes to
#   payload.tar   what goes in: the installed tree, /tests, /packages, the job
#   console.log   the kernel's console
#   output        FIFO, what the command prints
#   status        what the guest reports: "up SECONDS", then "exit STATUS" or "timeout"
#   results.tar   what comes out
#
# prepare() fills that directory, boot() is one life of the machine on it, and conclude() tells what became of it. A run with
# a reboot in the middle is boot() twice on the same directory: the guest's side has said so, and has shut down properly.

# Defaults of the options, and the variables that hold them.
run_memory=2048
run_timeout=600
run_accel=${HSVDPA_MACHINE_ACCEL:-tcg,thread=multi}
run_install=
run_packages=
run_tests=$here/guest
run_keep=
run_nics=0
run_sriov=0
run_command=()

# A machine that is not up by then never will be; many times what it takes when nothing else runs.
readonly boot_limit=180
# How long after the end of the time the guest may take to stop the command and to bring out what there is.
readonly timeout_grace=20

# QEMU before 8.1 now and then (seen: 1 boot in 40) lets an emulated processor run into a breakpoint that the kernel has
# already taken away again, when it patches its own code with thread=multi (QEMU's commits cb62bd15e14e and deba78709ae8
# mend it). That has nothing to do with what is tested, and before COMMAND has begun a new
# attempt is harmless.
readonly emulator_fault='Oops: int3' boot_attempts=4

# When the first boot began.
run_started=

# Set while there is something to tidy up.
run_dir=
qemu_pid=
output_pid=

run_options() {
        while (($#)); do
                local option=$1 value=${2-}
                case $option in
                --install | --packages | --tests | --keep-output | --memory | --timeout)
                        (($# >= 2)) || usage_error "$option needs a value"
                        shift 2
                        ;;
                *) shift ;;
                esac
                case $option in
                --install)
                        [[ -d $value ]] || usage_error "--install: no such directory: $value"
                        run_install=$value
                        ;;
                --packages)
                        compgen -G "$value/*.deb" >/dev/null || usage_error "--packages: no packages in $value"
                        run_packages=$value
                        ;;
                --tests)
                        [[ -d $value ]] || usage_error "--tests: no such directory: $value"
                        run_tests=$value
                        ;;
                --keep-output) run_keep=$value ;;
                --memory)
                        [[ $value =~ ^[1-9][0-9]*$ ]] || usage_error "--memory: not a number of MiB: $value"
                        run_memory=$value
                        ;;
                --timeout)
                        [[ $value =~ ^[1-9][0-9]*$ ]] || usage_error "--timeout: not a number of seconds: $value"
                        run_timeout=$value
                        ;;
                --pci-nic) run_nics=$((run_nics + 1)) ;;
                --pci-sriov) run_sriov=1 ;;
                -h | --help)
                        usage
                        exit 0
                        ;;
                --)
                        run_command=("$@")
                        return
                        ;;
                *) usage_error "no such option: $option" ;;
                esac
        done
}

run_main() {
        local verb=$1
        shift
        run_options "$@"
        if [[ $verb == shell ]]; then
                ((${#run_command[@]} == 0)) || usage_error "shell takes no command"
                [[ -t 0 ]] || usage_error "shell needs a terminal"
        else
                ((${#run_command[@]})) || usage_error "run needs a command: machine run [OPTION]... -- COMMAND [ARG]..."
        fi

        build_all
        trap tidy_up EXIT
        trap 'exit 129' HUP
        trap 'exit 130' INT
        trap 'exit 143' TERM
        run_dir=$(mktemp -d "${TMPDIR:-/tmp}/hsvdpa-machine-XXXXXX")
        prepare "$verb"
        if [[ $verb == shell ]]; then
                boot_shell
                return
        fi

        local attempt end=
        run_started=$EPOCHSECONDS
        for ((attempt = 1; ; attempt++)); do
                boot
                while [[ $end == reboot ]]; do
                        say "the machine starts again"
                        boot
                done
                if [[ $end != died ]] || ((attempt == boot_attempts)) || machine_came_up ||
                        ! grep -q "$emulator_fault" "$run_dir/console.log"; then
                        break
                fi
                say "the emulator failed the kernel while it booted (a known fault of QEMU's): once more"
                prepare "$verb"
        done
        keep_output
        conclude "$end"
}

tidy_up() {
        stop_qemu
        if [[ -n $output_pid ]]; then
                kill "$output_pid" 2>/dev/null || true
        fi
        if [[ -n $run_dir ]]; then
                rm -rf -- "$run_dir"
        fi
}

stop_qemu() {
        [[ -n $qemu_pid ]] || return 0
        # Nothing on its disk is of worth, so there is no gentle way.
        kill -KILL "$qemu_pid" 2>/dev/null || true
        wait "$qemu_pid" 2>/dev/null || true
        qemu_pid=
}

prepare() {
        local verb=$1
        rm -rf -- "${run_dir:?}"/*
        : >"$run_dir/status"
        : >"$run_dir/qemu.log"
        qemu-img create -q -f qcow2 -F raw -b "${product[root]}/root.img" "$run_dir/root.qcow2"

        local job=$run_dir/job
        mkdir -p "$job"
        if [[ $verb == shell ]]; then
                local rows=24 columns=80 size
                if size=$(stty size) && [[ $size != "0 0" ]]; then
                        read -r rows columns <<<"$size"
                fi
                printf 'rows=%d columns=%d TERM=%q\n' "$rows" "$columns" "${TERM:-vt100}" >"$job/shell"
        else
                printf '%s\0' "${run_command[@]}" >"$job/command"
                # The guest's clock is ours, so a time says more than a duration that starts at an unknown point.
                echo $((EPOCHSECONDS + run_timeout)) >"$job/deadline"
                if [[ -n $run_keep ]]; then
                        touch "$job/keep-output"
                fi
        fi
        # Only if there is reason: each takes a second of an emulated processor.
        if [[ -n $run_install ]]; then
                if compgen -G "$run_install/usr/local/lib/*.so*" >/dev/null; then
                        touch "$job/has-libraries"
                fi
                if [[ -n $(find "$run_install" -path '*/sysusers.d/*.conf' -print -quit) ]]; then
                        touch "$job/has-users"
                fi
        fi

        # No directory may be in it twice, and so no "." at all: tar would leave it with the mode 0700 that it has while tar
        # works on it. The job has a directory of its own for the same reason.
        local pack=(tar --owner=0 --group=0 --numeric-owner --file="$run_dir/payload.tar")
        "${pack[@]}" --create --directory="$run_dir" job --transform='s,^job,hsvdpa-machine,'
        "${pack[@]}" --append --directory="$run_tests" --transform='s,^\.,tests,' \
                --exclude=__pycache__ --exclude=.pytest_cache .
        # What is asked of every state, here as in the tests on the simulated backend.
        "${pack[@]}" --append --directory="$here/../daemon" --transform='s,^,tests/,' \
                audit.py checker.py promises.py simmodel.py
        "${pack[@]}" --append --directory="$here/../../src/util" --transform='s,^,tests/,' crash-points.def
        if [[ -n $run_packages ]]; then
                mkdir "$run_dir/packages"
                find "$run_packages" -maxdepth 1 -name '*.deb' ! -name '*-dbgsym_*' -exec cp -t "$run_dir/packages" {} +
                [[ ! -d $run_packages/autopkgtest ]] || cp -r "$run_packages/autopkgtest" "$run_dir/packages"
                "${pack[@]}" --append --directory="$run_dir" packages
        fi
        if [[ -n $run_install ]]; then
                find "$run_install" -mindepth 1 -maxdepth 1 -printf '%P\0' |
                        "${pack[@]}" --append --directory="$run_install" --null --files-from=-
        fi
}

# Sets qemu, the command line that is common to all ways to run.
qemu_command() {
        # The kernel's doubts about its timer and its clock measure how busy the host is, and may end in a panic.
        local append="console=ttyS0 quiet mitigations=off no_timer_check tsc=reliable panic=-1 oops=panic"
        append+=" systemd.unit=hsvdpa-machine.target ${HSVDPA_MACHINE_APPEND-}"
        local machine=q35 nic
        if ((run_nics || run_sriov)); then
                # vhost_vdpa insists on an IOMMU that keeps caches coherent before it lets anyone open a device that
                # does real DMA.
                machine+=,kernel-irqchip=split
                append+=" intel_iommu=on"
        fi
        qemu=(qemu-system-x86_64
                -name hsvdpa-test -nodefaults -no-user-config -no-reboot -display none
                -machine "$machine" -accel "$run_accel" -cpu max -smp 2 -m "$run_memory"
                -kernel "${product[kernel]}/vmlinuz" -initrd "${product[root]}/initramfs" -append "$append"
                -serial "file:$run_dir/console.log"
                -drive "file=$run_dir/root.qcow2,if=virtio,format=qcow2,cache=unsafe,discard=unmap"
                -drive "file=$run_dir/payload.tar,if=virtio,format=raw,cache=unsafe,readonly=on"
                -device virtio-serial-pci)
        if ((run_nics || run_sriov)); then
                qemu+=(-device "intel-iommu,intremap=on,snoop-control=on,device-iotlb=on")
                # One hub for all, so that two cards see each other's packets.
                for ((nic = 0; nic < run_nics; nic++)); do
                        qemu+=(-netdev "hubport,id=nic$nic,hubid=0" -device
                                "virtio-net-pci,netdev=nic$nic,disable-legacy=on,iommu_platform=on,vectors=10,romfile=$(
                                )$(printf ',mac=52:54:00:76:64:%02x' "$nic")")
                done
        fi
        if ((run_sriov)); then
                # The only device with VFs that this QEMU has; each of them needs queues of its own.
                qemu+=(-device "pcie-root-port,id=port0,chassis=1,slot=1" -device "nvme-subsys,id=nvme0" -device
                        "nvme,serial=sriov,subsys=nvme0,bus=port0,sriov_max_vfs=8,sriov_vq_flexible=16,$(
                        )sriov_vi_flexible=8,max_ioqpairs=18,msix_qsize=10")
        fi
}

# One life of the machine. Sets end: exit (see verdict_status), timeout, reboot, hung, no-boot or died.
boot() {
        local qemu started=$EPOCHSECONDS
        qemu_command
        rm -f "$run_dir/output"
        mkfifo "$run_dir/output"
        : >"$run_dir/status"
        # Not straight to our standard output: QEMU opens by name, and would truncate what others have written to a file.
        cat "$run_dir/output" &
        output_pid=$!
        "${qemu[@]}" \
                -chardev "file,id=output,path=$run_dir/output" \
                -device virtserialport,chardev=output,name=hsvdpa.output \
                -chardev "file,id=status,path=$run_dir/status" \
                -device virtserialport,chardev=status,name=hsvdpa.status \
                -chardev "file,id=results,path=$run_dir/results.tar" \
                -device virtserialport,chardev=results,name=hsvdpa.results \
                </dev/null >"$run_dir/qemu.log" 2>&1 &
        qemu_pid=$!

        end=
        until [[ -n $end ]]; do
                # In this order: the last words of a machine that has just gone must still be seen.
                kill -0 "$qemu_pid" 2>/dev/null || end=died
                if read_verdict; then
                        end=$verdict
                elif [[ $end == died ]] && is_rebooting; then
                        end=reboot
                elif ((EPOCHSECONDS > run_started + run_timeout + timeout_grace)); then
                        end=hung
                elif machine_came_up; then
                        :
                elif ((EPOCHSECONDS > started + boot_limit)); then
                        end=no-boot
                elif ((EPOCHSECONDS > run_started + run_timeout)); then
                        end=timeout
                fi
                [[ -n $end ]] || sleep 0.1
        done
        stop_qemu
        # Ends by itself, now that nobody has the other end.
        wait "$output_pid" || true
        output_pid=
}

# Whether it has ended (QEMU ends at a reboot) since it was told to start again; a panic ends it, too.
is_rebooting() {
        grep -qx reboot "$run_dir/status" && ! grep -q 'Kernel panic' "$run_dir/console.log"
}

machine_came_up() {
        [[ -s $run_dir/status ]]
}

# Ends the program with what the run came to.
conclude() {
        if [[ $1 == exit ]]; then
                exit "$verdict_status"
        fi
        say "the end of the console:"
        tail -n 40 -- "$run_dir/console.log" 2>/dev/null | tr -d '\r' | sed 's/^/  | /' >&2
        tail -n 20 -- "$run_dir/qemu.log" >&2

        case $1 in
        timeout)
                say "TIMEOUT: the command was not through after $run_timeout s"
                exit "$EXIT_TIMEOUT"
                ;;
        hung)
                say "TIMEOUT: after $run_timeout s the machine did not even answer any more"
                exit "$EXIT_TIMEOUT"
                ;;
        no-boot)
                die "BOOT FAILED: not up after $boot_limit s"
                ;;
        died)
                if grep -q "$emulator_fault" "$run_dir/console.log"; then
                        say "this is a known fault of QEMU's emulator, and no word on what was tested: run it again," \
                                "or with HSVDPA_MACHINE_ACCEL=tcg,thread=single, which is slower and does not have it"
                fi
                if machine_came_up; then
                        die "MACHINE DIED while the command ran: see the console above"
                fi
                die "BOOT FAILED: the machine died before it was up: see the console above"
                ;;
        esac
}

# Whether the guest has said how it ended; sets verdict and verdict_status.
read_verdict() {
        local word value
        while read -r word value; do
                case $word in
                exit | timeout)
                        verdict=$word
                        verdict_status=${value:-$EXIT_TIMEOUT}
                        return 0
                        ;;
                esac
        done <"$run_dir/status"
        return 1
}

keep_output() {
        [[ -n $run_keep ]] || return 0
        mkdir -p -- "$run_keep"
        cp -- "$run_dir/console.log" "$run_keep/console.log"
        if [[ -s $run_dir/results.tar ]]; then
                tar -x --no-same-owner --no-overwrite-dir -f "$run_dir/results.tar" -C "$run_keep" || say "the results are not whole"
        fi
}

boot_shell() {
        local qemu status=0
        qemu_command
        say "booting; leave the shell to end the machine"
        # In the foreground, as it is to have the terminal; and with Ctrl-C for the shell in the guest.
        "${qemu[@]}" -chardev stdio,id=shell,signal=off -device virtconsole,chardev=shell \
                2>"$run_dir/qemu.log" || status=$?
        if ((status)) || grep -q 'Kernel panic' "$run_dir/console.log"; then
                conclude died
        fi
}
