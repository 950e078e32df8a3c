#!/bin/sh
# Berth @VERSION@ for Linux on @KERNEL@. It needs nothing but a shell, ls, tail, gzip and tar: what it is made of follows
# these lines, is unpacked once, and is run from there. BERTH_UNPACK names another folder for it.
set -u
end() {
	printf 'berth: %s\n' "$1" >&2
	exit 2
}

case $(uname -s -m) in
"Linux @KERNEL@") ;;
"Linux x86_64") end "this file is for @KERNEL@, and this machine is x86_64: take berth-@VERSION@-linux-amd64" ;;
"Linux aarch64") end "this file is for @KERNEL@, and this machine is aarch64: take berth-@VERSION@-linux-arm64" ;;
*) end "this file is for Linux on @KERNEL@, and this machine is $(uname -s -m); where Python is: pipx install berth-nfs" ;;
esac

# Who could put other programs into a folder: whoever may write to it or to a folder above it, but for root and us. Says
# what is wrong with the first that somebody else could; nothing where all is well.
trusted() {
	path=$1
	while [ "$path" != / ]; do
		path=${path%/*}
		path=${path:-/}
		set -- "$path" "$@"
	done
	LC_ALL=C TIME_STYLE=locale ls -ldn -- "$@" 2>/dev/null | {
		wrong="can't be looked at"
		while read -r mode links owner group size month day time path; do
			wrong=
			case $mode in
			d????????[tT]*) ;; # others may add to it, and take nothing away
			d????w* | d???????w*) wrong="$path can be written to by others" ;;
			d*) ;;
			*) wrong="$path is no folder" ;;
			esac
			[ "$owner" = 0 ] || [ "$owner" = "$me" ] || wrong="$path is somebody else's"
			[ -z "$wrong" ] || break
		done
		printf %s "$wrong"
	}
}

# Whether what was unpacked there is all there (who tidies up /tmp takes single files), and can be run: a file system that
# is mounted noexec says no.
starts() {
	[ -d "$1" ] && [ "$(ls -AR "$1" 2>/dev/null | wc -l)" -ge @LINES@ ] && "@LOADER@" --version >/dev/null 2>&1
}

# What was killed while it unpacked, and versions that were not started for 30 days and don't run now.
tidy() {
	for old in "$1"/."$name.$(uname -n)".*; do
		kill -0 "${old##*.}" 2>/dev/null || rm -rf "$old"
	done
	for old in "$1"/[0-9]*.[0-9]*-????????????????; do
		[ -e "$old/usr/lib/berth/command.py" ] && [ -n "$(find "$old" -prune -mtime +30 2>/dev/null)" ] || continue
		ls -l /proc/[0-9]*/exe 2>/dev/null | grep -qF " $old/" || rm -rf "$old"
	done
}

# Unpacks into a folder beside its place, which it takes in one step; says why not.
unpack() {
	new="$1/.$name.$(uname -n).$$"
	trap 'rm -rf "$new"; exit 130' INT
	trap 'rm -rf "$new"; exit 143' TERM HUP
	tidy "$1"
	if ! mkdir "$new" 2>/dev/null; then
		printf %s "$1 can't be written to"
		return
	fi
	# Looked at first: unpacking takes a second, each time where it is of no use.
	{ printf '#!/bin/sh\n' >"$new/probe" && chmod 700 "$new/probe" && "$new/probe"; } 2>/dev/null
	runs=$?
	rm -f "$new/probe"
	if [ "$runs" -eq 126 ]; then
		printf %s "programs in $1 can't be run (is it mounted noexec?)"
		rm -rf "$new"
		return
	fi
	# What tar only warns of, such as a clock that is behind, is no failure.
	said=$({ { tail -c +@OFFSET@ "$0" | gzip -dc || echo "it is damaged" >&2; } | tar -xof - -C "$new"; } 2>&1)
	if [ $? -ne 0 ] || [ "${said%it is damaged}" != "$said" ]; then
		printf %s "unpacking into $1 failed: $(printf '%s\n' "$said" | head -n 1)"
	elif ! starts "$new"; then
		printf %s "what was unpacked into $1 does not start"
	else
		# What lies there has lost a part. If somebody else was faster, what they made is as good.
		if [ -d "$1/$name" ] && ! starts "$1/$name"; then
			mv "$1/$name" "$new.old" 2>/dev/null
			rm -rf "$new.old"
		fi
		[ -d "$1/$name" ] || mv "$new" "$1/$name"
		[ ! -d "$1/$name/${new##*/}" ] || rm -rf "${1:?}/$name/${new##*/}"
	fi
	rm -rf "$new"
}

# Unpacks into a folder unless that was done before, and prints where it can be run from; says in $why why not.
at() {
	case $1 in /*) folder=$1 ;; *) folder=$(pwd -P)/$1 ;; esac
	(umask 077 && mkdir -p -- "$folder") 2>/dev/null
	if [ -h "$folder" ]; then
		wrong="$folder is a symbolic link"
	elif ! folder=$(CDPATH='' cd -P -- "$folder" 2>/dev/null && pwd -P); then
		wrong="$1 can't be made"
	else
		there=$folder
		[ ! -e "$folder/$name" ] || there=$folder/$name
		wrong=$(trusted "$there")
	fi
	if [ -z "$wrong" ] && starts "$folder/$name"; then
		touch -c "$folder/$name" 2>/dev/null
	elif [ -z "$wrong" ]; then
		wrong=$(unpack "$folder") || exit
		[ -n "$wrong" ] || wrong=$(trusted "$folder/$name")
	fi
	if [ -z "$wrong" ]; then
		printf %s "$folder/$name"
		return 0
	fi
	why="$why; $wrong"
	return 1
}

# Where it can be run from. All of this is done in a process of its own: its names are not the environment's.
place() {
	name=@VERSION@-@DIGEST@
	me=$(id -u)
	why=
	if [ -n "${BERTH_UNPACK:-}" ] && at "$BERTH_UNPACK"; then
		return
	fi
	# With sudo it may be the home of somebody else.
	cache=${XDG_CACHE_HOME:-}
	case $cache in
	/*) ;;
	*) [ -n "${HOME:-}" ] && [ -O "$HOME" ] && cache=$HOME/.cache || cache= ;;
	esac
	if [ -n "$cache" ] && at "$cache/berth"; then
		return
	fi
	at /var/cache/berth || at "${TMPDIR:-/tmp}/berth-$me" ||
		end "there is no folder to unpack into: ${why#; }. Name one: BERTH_UNPACK=/DIR $0"
}

berth_home=$(place) || exit
@START@
