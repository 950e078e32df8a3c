# What test_node_kernel runs in the guest: real mounts, made to hang, to go stale and to lose data, and at each stage what
# the doctor says of this node. Not through `berth`: importing the whole command line takes seconds here.
set -e
mkdir -p /mnt/{hard,soft,gone,v3} /srv/xfs/share/volume
doctor() {
    "$PYTHON" -c '
import asyncio, json, time
from berth.doctor.node.checks import examine
began = time.monotonic()
report = asyncio.run(examine())
print(json.dumps({**report.as_dict(), "seconds": time.monotonic() - began}))
' > "$OUT/$1.json"
}
start_nfsd
exportfs -o rw,sync,no_subtree_check,no_root_squash,fsid=0 127.0.0.1:/srv/xfs/share

mount -t nfs -o vers=4.2,hard 127.0.0.1:/ /mnt/hard
doctor healthy

echo '127.0.0.1 localhost nas.example' > /etc/hosts
mount -t nfs -o vers=4.1,soft,timeo=10,retrans=1,nosharecache nas.example:/ /mnt/soft
mount -t nfs -o vers=4.2,nosharecache 127.0.0.1:/volume /mnt/gone
mount -t nfs -o vers=3,nosharecache 127.0.0.1:/srv/xfs/share /mnt/v3
pkill rpc.statd
rm -r /srv/xfs/share/volume
echo '127.0.0.1 localhost' > /etc/hosts
echo 'hosts: files' > /etc/nsswitch.conf
doctor ill

umount /mnt/soft /mnt/v3
umount -l /mnt/gone
rpc.nfsd 0
stat -f /mnt/hard > /dev/null 2>&1 &
waiting=$!
until grep -q '^State:.*D' "/proc/$waiting/status"; do read -r -t 0.05 < /dev/zero || true; done
doctor hanging
kill -KILL "$waiting"
wait "$waiting" || true

rpc.nfsd 4
echo Y > /proc/fs/nfsd/v4_end_grace
stat -f /mnt/hard > /dev/null
doctor mended
umount /mnt/hard
