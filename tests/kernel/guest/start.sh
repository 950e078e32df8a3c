# Starts the kernel's NFS server with the exports `/free` and `/squashed`, both below /srv/xfs, for NFSv3 and v4 alike.
set -e
printf '[exports]\nrootdir = /srv/xfs\n' >> /etc/nfs.conf
start_nfsd
mkdir /srv/xfs/free /srv/xfs/squashed
exportfs -o rw,no_subtree_check,insecure,no_root_squash '*:/free'
exportfs -o rw,no_subtree_check,insecure,root_squash '*:/squashed'
