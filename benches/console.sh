#!/usr/bin/env bash
# The console's list of users at a million of them, on SQLite and on a real PostgreSQL that is started
# for it: p50 and p99 of each filter, search and page against the limit of 30 ms.
#
#   benches/console.sh
#
# USERS=N ROUNDS=N LIMIT_MS=N   another size, more rounds, another limit
# MARIADB=1                     MariaDB too, without a limit
# ONLY=sqlite                   one kind
# BUSY=1                        on a machine that does other work: the processor's time instead of the clock's
# FILLED=FILE                   a file of SQLite: filled when it is not there, and used again
# FILLED=postgres://…           a database that an earlier run filled, with PASSWORD=… and SERVER=PID of the server
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo bench -q --no-default-features --features accounts --bench console
