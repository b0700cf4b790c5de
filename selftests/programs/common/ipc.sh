# SPDX-License-Identifier: GPL-2.0
#
# What kipc and native IPC say of themselves, and the few lines of TAP, for tests with real
# programs. KIND is shm, sem or msg, WHERE is kipc or sysvipc.

# Lines of a listing below its head
objects() { tail -n +2 "/proc/$1/$2"; } # WHERE KIND
count() { objects "$1" "$2" | wc -l; } # WHERE KIND

# How many objects kipc has made, by its own counter
created() { # KIND
	awk -v kind="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "created") c = i }
		$1 == kind { print $c }' /proc/kipc/ids
}

# The id native IPC gives to a new object: with ipcmni_extend each is one above the last, so two
# of them tell how many were made between.
native_id() { # KIND
	case $1 in
	shm) id=$(LD_PRELOAD='' ipcmk -M 1 | sed 's/.*: //'); LD_PRELOAD='' ipcrm -m "$id" ;;
	sem) id=$(LD_PRELOAD='' ipcmk -S 1 | sed 's/.*: //'); LD_PRELOAD='' ipcrm -s "$id" ;;
	msg) id=$(LD_PRELOAD='' ipcmk -Q | sed 's/.*: //'); LD_PRELOAD='' ipcrm -q "$id" ;;
	esac
	echo "$id"
}

# Remember both counters, and ask later whether kipc served everything and native IPC nothing.
begin() { # KIND...
	kinds=$*
	for kind in $kinds; do
		eval "native_before_$kind=$(native_id "$kind") created_before_$kind=$(created "$kind")"
	done
}

kipc_served_all() {
	for kind in $kinds; do
		eval "native_before=\$native_before_$kind created_before=\$created_before_$kind"
		[ "$(created "$kind")" -gt "$created_before" ] || return
		[ "$(native_id "$kind")" -eq $((native_before + 1)) ] || return
	done
}

nothing_left() {
	for kind in $kinds; do
		[ "$(count kipc "$kind")" = 0 ] || return
	done
}

# Wait until a shell condition holds, for a minute and a half; a condition may take its time.
until_true() {
	deadline=$(($(date +%s) + 90))
	until eval "$1"; do
		[ "$(date +%s)" -lt $deadline ] || return
		sleep 0.1
	done
}

n=0
failed=0

# One line of TAP; after a failure what the function "explain" prints.
test_that() { # NAME CONDITION
	n=$((n + 1))
	if eval "$2"; then
		echo "ok $n $1"
	else
		echo "not ok $n $1"
		failed=1
		explain 2>/dev/null | sed 's/^/# /'
	fi
}
