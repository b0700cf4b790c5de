# SPDX-License-Identifier: GPL-2.0
#
# PostgreSQL 15 of the Debian root, run as its user under kipcrun, with all its shared memory in
# System V segments; what queries add to it may be $pg_dynamic instead.

. /kipc/selftests/programs/common/ipc.sh

PATH=$PATH:/usr/lib/postgresql/15/bin
pg=/tmp/postgres-${pg_dynamic:-sysv}
export PGDATA=$pg/data PGHOST=$pg PGDATABASE=postgres

as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
on_kipc() { as_postgres kipcrun "$@"; }

pg_init() {
	install -d -o postgres $pg
	on_kipc initdb --auth=trust --no-sync --no-instructions >$pg/initdb.log 2>&1 || return
	cat >>$PGDATA/postgresql.conf <<-END
	shared_memory_type = sysv
	dynamic_shared_memory_type = ${pg_dynamic:-sysv}
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

# The attachments of the segment that has most of them
pg_attached() { objects kipc shm | awk '{ print $7 }' | sort -n | tail -n 1; }

explain() { objects kipc shm; tail -n 20 $pg/log; }
