#!/bin/sh
# Berth @VERSION@ for Linux on @KERNEL@. It needs nothing but a shell, tail, gzip and tar: what it is made of follows
# these lines, is unpacked once, and is run from there. BERTH_UNPACK names another folder for it.
set -u
end() {
	printf 'berth: %s\n' "$1" >&2
	exit 2
}
[ "$(uname -s) $(uname -m)" = "Linux @KERNEL@" ] ||
	end "this file is for Linux on @KERNEL@, and this machine is $(uname -s) on $(uname -m): take the one for it"

name=@VERSION@-@DIGEST@
why=

# Whether what lies there can be run: a file system that is mounted noexec says no.
starts() {
	"@LOADER@" --version >/dev/null 2>&1
}

unpack() {
	new=$1/.$name.$$
	trap 'rm -rf "$new"; trap - INT TERM; exit 130' INT TERM HUP
	mkdir "$new" 2>/dev/null || { why="$why; $1 can't be written to" && return 1; }
	{ tail -c +@OFFSET@ "$0" | gzip -dc || : >"$new/damaged"; } 2>"$new/why" | tar -xf - -C "$new" 2>>"$new/why"
	if [ $? -ne 0 ] || [ -e "$new/damaged" ]; then
		why="$why; unpacking into $1 failed: $(tail -n 1 "$new/why")"
	elif ! starts "$new"; then
		why="$why; programs in $1 can't be run (is it mounted noexec?)"
	else
		rm -f "$new/why"
		# Somebody else may have been faster: then what they made is as good.
		[ -d "$1/$name" ] || mv "$new" "$1/$name"
	fi
	rm -rf "$new" "$1/$name/.$name.$$"
	trap - INT TERM HUP
	[ -d "$1/$name" ]
}

# A folder that others can write to could hold what they want to be run: it has to be ours.
is_ours() {
	(umask 077 && mkdir -p "$1") 2>/dev/null
	[ -d "$1" ] && [ ! -h "$1" ] && [ -O "$1" ]
}

home=
cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
for folder in "${BERTH_UNPACK:-}" "${cache:+$cache/berth}" /var/cache/berth "${TMPDIR:-/tmp}/berth-$(id -u)"; do
	[ -n "$folder" ] || continue
	if ! is_ours "$folder"; then
		why="$why; $folder can't be made, or is somebody else's"
	elif { [ -d "$folder/$name" ] && starts "$folder/$name"; } || unpack "$folder"; then
		home=$folder/$name
		break
	fi
done
[ -n "$home" ] || end "there is no folder to unpack into: ${why#; }. Name one: BERTH_UNPACK=/DIR $0"

# Authorities that this host trusts; its programs find them by themselves.
if [ -z "${SSL_CERT_FILE:-}${SSL_CERT_DIR:-}" ]; then
	for SSL_CERT_FILE in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem "$home/etc/ssl/certs/ca-certificates.crt"; do
		[ -r "$SSL_CERT_FILE" ] && break
	done
	export SSL_CERT_FILE
fi
exec @START@ "$0" "$@"
