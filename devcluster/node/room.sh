#!/bin/bash
# A room for one node: mounts, a network and control groups of its own. It stands until this script gets SIGTERM; then
# everything that lives in it ends, and nothing of it is left.
#
# Inside, all is where it is on any node (/var/lib/kubelet, /run/containerd, ...); outside, it is below $directory.
#   $directory  where to keep it
#   $group      name of its control groups
#   $hostname   of the node
#   $subnet     such as 198.18.7; .1 is this machine, .2 the node, the rest is for pods
#   $link       this machine's network device to it
#   $service    the address at which pods look for the API server
set -euo pipefail

# The room's control group in each hierarchy that this machine has.
groups() {
    local kind place
    while read -r _ place kind _; do
        case $kind in cgroup | cgroup2) echo "$place/$group" ;; esac
    done < /proc/self/mounts
}

# The pids of all that lives in the room. 0 would be somebody whom we can't see, and means "all of us" to kill.
members() {
    local place
    for place in $(groups); do
        [ ! -d "$place" ] || find "$place" -name cgroup.procs -exec cat {} + 2> /dev/null || true
    done | { grep -vx 0 || true; } | sort -un
}

clear_away() {
    local place tries
    set +e
    # Again and again: what is being started while we look is found in the next round, and what has been killed takes a
    # moment to go.
    for ((tries = 500; tries > 0; tries--)); do
        kill -KILL $(members)
        for place in $(groups); do
            [ ! -d "$place" ] || find "$place" -depth -type d -exec rmdir {} +
        done
        is_empty && break
        sleep 0.02
    done 2> /dev/null
    ip link delete "$link" 2> /dev/null  # it went with the room's network, unless that is still being undone
    is_empty || echo "this is left: $(members | xargs)" >&2
}

is_empty() {
    local place
    for place in $(groups); do
        [ ! -d "$place" ] || return 1
    done
}

stand() {
    local place outside
    trap clear_away EXIT
    # Once only: who dies with several threads sends this several times, and clearing away must not be cut short.
    trap 'trap "" TERM INT HUP; exit 0' TERM INT HUP
    for place in $(groups); do
        mkdir -p "$place"
        # Nobody may live in a cpuset before it was told which CPUs it has.
        if [ -e "$place/cpuset.cpus" ] && [ -z "$(cat "$place/cpuset.cpus")" ]; then
            cat "$place/../cpuset.cpus" > "$place/cpuset.cpus"
            cat "$place/../cpuset.mems" > "$place/cpuset.mems"
        fi
    done
    exec {outside}< /proc/self/ns/net
    outside=$outside bash -c '
        for place in "${@:2}"; do echo $$ > "$place/cgroup.procs"; done
        exec unshare --mount --propagation private --net --uts --cgroup bash "$1" furnish
    ' room "$0" $(groups) &
    wait
}

furnish() {
    hostname "$hostname"
    furnish_groups
    furnish_folders
    furnish_network
    echo $$ > /run/room.pid
    exec sleep infinity
}

# The control groups as seen from in here: the room's own are the root, and others' aren't there.
furnish_groups() {
    local place kind options wanted
    cat /proc/self/mounts | while read -r _ place kind options _; do
        wanted=()
        case $kind in
            # Which hierarchy it is stands among the options of any mount: rw,relatime,memory.
            cgroup) wanted=(-o "$(tr , '\n' <<< "$options" | grep -vxE 'r[ow]|relatime|nosuid|nodev|noexec|xattr|release_agent=.*' | paste -sd,)") ;;
            cgroup2) ;;
            *) continue ;;
        esac
        umount "$place"
        mount -t "$kind" "${wanted[@]}" cgroup "$place"
    done
}

furnish_folders() {
    local place setting
    for place in run var/lib var/log sysctl; do
        mkdir -p "$directory/$place"
    done
    # What mount.nfs and its friends keep is there as on any node.
    mkdir -p "$directory/var/lib/nfs"
    [ ! -d /var/lib/nfs ] || mount --bind /var/lib/nfs "$directory/var/lib/nfs"
    mount --rbind "$directory/var/lib" /var/lib
    mount --bind "$directory/var/log" /var/log
    mount --bind "$directory/run" /run
    # Kubelet sets these for the whole machine, unless they are so already. Here they look as if they were.
    for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
        kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
        place=$directory/sysctl/$(basename "${setting%=*}")
        echo "${setting#*=}" > "$place"
        [ ! -e "/proc/sys/${setting%=*}" ] || mount --bind "$place" "/proc/sys/${setting%=*}"
    done
}

# One network for the node, its pods and this machine: everybody reaches everybody without translation.
# It leads nowhere else, and says so at once: kubelet asks clouds for credentials, and would wait for their answer.
furnish_network() {
    ip link set lo up
    ip address add "$service/32" dev lo
    # With an address of its own: it would change with each pod that comes or goes, and neighbours remember the old one.
    ip link add pods address "$(printf 02:62:%02x:%02x:00:02 $(cut -d. -f2,3 --output-delimiter=" " <<< "$subnet"))" type bridge
    ip link add uplink type veth peer name "$link" netns "/proc/self/fd/$outside"
    ip link set uplink master pods up
    ip address add "$subnet.2/24" dev pods
    ip link set pods up
    nsenter --net="/proc/self/fd/$outside" ip address add "$subnet.1/24" dev "$link"
    nsenter --net="/proc/self/fd/$outside" ip link set "$link" up
}

"${1:-stand}"
