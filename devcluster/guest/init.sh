#!/bin/bash
# The first process of the guest. Its root is the host's file tree, read-only; this puts a throw-away layer in memory over
# it, so that programs can write where they like, and goes on with main.sh in there.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
work=$(dirname "$0")
. "$work/settings.sh"

mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir /run/layer
mount -t tmpfs -o "size=$OVERLAY_SIZE" tmpfs /run/layer
mkdir /run/layer/{upper,work,root}
modprobe -d "$work/modules" overlay
mount -t overlay -o lowerdir=/,upperdir=/run/layer/upper,workdir=/run/layer/work root /run/layer/root

cd /run/layer/root || exit
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t devtmpfs dev dev
mkdir -p dev/pts dev/shm
mount -t devpts devpts dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs tmpfs run
mount -t hostfs none ".$work/shared" -o "$work/shared"
mkdir -p lib/modules
[ -e "lib/modules/$(uname -r)" ] || ln -s "/usr/lib/uml/modules/$(uname -r)" lib/modules/
exec chroot . "$work/main.sh"
