#!/bin/bash
# Prepares the guest, runs the script, and switches the guest off. The exit code goes back in a file: a guest that dies
# leaves none.
work=$(dirname "$0")
. "$work/settings.sh"
code=1
finish() {
    echo "$code" > "$work/shared/exit-code"
    sync
    umount --all --force --types nfs,nfs4 2> /dev/null
    echo o > /proc/sysrq-trigger
    read -r -t 10 < /dev/zero # the power goes off meanwhile
}
trap finish EXIT

ip link set lo up
# What the host's own NFS server has stored there is not for this one.
rm -rf /var/lib/nfs/*
mkdir -p /var/lib/nfs/{sm,sm.bak,rpc_pipefs,v4recovery,nfsdcltrack} /run/rpcbind /srv/{xfs,ext4} /mnt
touch /var/lib/nfs/{etab,rmtab,state}
chown -R statd /var/lib/nfs/sm*
mount -t xfs -o prjquota /dev/ubda /srv/xfs
mount -t ext4 -o prjquota /dev/ubdb /srv/ext4
modprobe nfsd
mount -t nfsd nfsd /proc/fs/nfsd

export OUT=$work/shared/out BASH_ENV=$work/functions.sh
cd "$ROOT" || exit
bash "$work/script.sh" > "$work/shared/output" 2>&1
code=$?
