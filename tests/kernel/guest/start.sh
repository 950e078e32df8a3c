# Starts the kernel's NFS server with the exports `/free` and `/squashed`, both below /srv/xfs, for NFSv3 and v4 alike.
set -e
printf '[exports]\nrootdir = /srv/xfs\n' >> /etc/nfs.conf
start_nfsd
mkdir /srv/xfs/free /srv/xfs/squashed
exportfs -o rw,no_subtree_check,insecure,no_root_squash '*:/free'
exportfs -o rw,no_subtree_check,insecure,root_squash '*:/squashed'
# And `/nested`, which has another file system below it, to which upper and lower case are one; ext4 gives its disk.
mkdir -p /srv/xfs/nested/folding
umount /srv/ext4
mkfs.xfs -q -f -n version=ci /dev/ubdb
mount -t xfs /dev/ubdb /srv/xfs/nested/folding
exportfs -o rw,no_subtree_check,insecure,no_root_squash,crossmnt '*:/nested'
