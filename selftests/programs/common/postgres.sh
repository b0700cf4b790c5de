# SPDX-License-Identifier: GPL-2.0
#
# PostgreSQL 15 of the Debian root, run as its user under kipcrun, with all its shared memory in
# System V segments.

PATH=$PATH:/usr/lib/postgresql/15/bin
pg=/tmp/postgres
export PGDATA=$pg/data PGHOST=$pg PGDATABASE=postgres

as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
on_kipc() { as_postgres kipcrun "$@"; }

pg_init() {
	install -d -o postgres $pg
	on_kipc initdb --auth=trust --no-sync --no-instructions >$pg/initdb.log 2>&1 || return
	cat >>$PGDATA/postgresql.conf <<-END
	shared_memory_type = sysv
	dynamic_shared_memory_type = sysv
	listen_addresses = ''
	unix_socket_directories = '$pg'
	END
}

pg_start() { on_kipc pg_ctl --silent --wait --timeout=120 --log=$pg/log start; }
pg_stop() { on_kipc pg_ctl --silent --wait --timeout=120 --mode=fast stop; }

sql() { as_postgres psql -XqAt -c "$1"; }

# A query that needs segments of its own: the workers' shared memory.
pg_parallel() {
	sql 'set force_parallel_mode = on; set parallel_setup_cost = 0; set parallel_tuple_cost = 0;
		set min_parallel_table_scan_size = 0; select count(*) from pgbench_accounts'
}

# A backend that will not notice its server's death, for it is stopped: $backend.
pg_stop_backend() {
	sql 'select pg_sleep(1000)' >/dev/null 2>&1 &
	until_true 'backend=$(sql "select pid from pg_stat_activity where query like '"'select pg_sleep%'"'")
		[ -n "$backend" ]'
	kill -STOP "$backend"
}

# Lines of a listing below its head
segments() { tail -n +2 "/proc/$1/shm"; }
count() { segments "$1" | wc -l; }

# How many segments kipc has made, by its own counter
created() { awk 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "created") c = i }
		$1 == "shm" { print $c }' /proc/kipc/ids; }

# The id native IPC gives to a new segment: with ipcmni_extend each is one above the last, so two
# of them tell how many were made between.
native_id() {
	id=$(LD_PRELOAD='' ipcmk -M 1 | sed 's/.*: //')
	LD_PRELOAD='' ipcrm -m "$id"
	echo "$id"
}

# Wait until a shell condition holds.
until_true() {
	for i in $(seq 300); do
		eval "$1" && return
		sleep 0.1
	done
	return 1
}
