# What scripts in the guest can call; bash reads this before it reads them.

# Starts the kernel's NFS server (v3, v4.0 to v4.2), its portmapper and lock services. Arguments: options of rpc.nfsd, as
# `-N 3` for no NFSv3. Exports come afterwards, with exportfs.
start_nfsd() {
    rpcbind -w
    rpc.statd --no-notify
    rpc.nfsd "$@" 4
    rpc.mountd
    # Nobody has anything to reclaim; without this the first NFSv4 open waits for the grace period, 9 to 14 s.
    echo Y > /proc/fs/nfsd/v4_end_grace
}

# Stops it again, as a reboot of the server would look from outside.
stop_nfsd() {
    rpc.nfsd 0
    pkill rpc.mountd
    exportfs -ua
}

# fail TEXT: says what is wrong, and ends the script.
fail() {
    echo "failed: $*"
    exit 1
}
