#!/usr/bin/env bash
# One private, throw-away Postgres cluster for tests. It prints its URL on one line, lives for as long as its
# standard input stays open, then stops and removes itself. Whoever started it may be killed in any way: the
# kernel closes the pipe, so no orphaned cluster stays behind.
#
#   postgres-cluster.sh          start a cluster (see above)
#   postgres-cluster.sh --commands
#                                as the first; then takes commands, one a line, does each and answers `ok` or `failed`:
#                                stop MODE, start, restart MODE (immediate, fast), promote, and follow URL (begin anew as
#                                a standby of that server, on the port that it has)
#   postgres-cluster.sh --find   print the directory of a usable server and exit; status 3 when there is none
#
# SERVERY_TEST_POSTGRES_FSYNC=on keeps fsync on (off by default: no test data has to survive a power cut).
set -euo pipefail

readonly minimum_version=15

# The major version of the server in directory $1, or nothing.
version_in() {
  [[ -x $1/postgres && -x $1/initdb && -x $1/pg_ctl ]] || return 0
  "$1/postgres" --version 2>/dev/null | sed -nE 's/^.* ([0-9]+)[.a-z0-9]*( .*)?$/\1/p' | head -n 1 || true
}

# Prints the directory of the newest usable server.
find_server() {
  local best='' best_version=0 directory version
  local on_path
  on_path=$(command -v postgres || true)
  if [[ -n $on_path ]]; then on_path=$(dirname "$(readlink -f "$on_path" || echo "$on_path")"); fi
  for directory in "$on_path" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin \
    /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
    [[ -n $directory && -d $directory ]] || continue
    version=$(version_in "$directory")
    if [[ -n $version ]] && ((version > best_version)); then
      best=$directory best_version=$version
    fi
  done
  ((best_version >= minimum_version)) || return 3
  echo "$best"
}

if ! server=$(find_server); then
  echo "no Postgres server $minimum_version or newer found (initdb, pg_ctl and postgres are needed)" >&2
  exit 3
fi
if [[ ${1:-} == --find ]]; then
  echo "$server"
  exit 0
fi

# A session of its own, so that a Ctrl-C or a kill of the starter's process group does not end this script
# before it has stopped the server.
if [[ -z ${SERVERY_CLUSTER_SESSION:-} ]] && command -v setsid >/dev/null; then
  SERVERY_CLUSTER_SESSION=1 exec setsid --wait "$0" "$@"
fi

# `postgres` refuses to run as root: then another account owns and runs the cluster.
as_owner=()
owner=''
if ((EUID == 0)); then
  for owner in postgres nobody ''; do
    if [[ -n $owner ]] && id -u "$owner" >/dev/null 2>&1; then break; fi
  done
  if [[ -z $owner ]] || ! command -v runuser >/dev/null; then
    echo "Postgres does not run as root: needs runuser and an account 'postgres' or 'nobody'" >&2
    exit 1
  fi
  as_owner=(runuser -u "$owner" --)
fi

# The path of a unix socket has at most 107 bytes, and the owner must be able to reach the directory.
directory=$(mktemp -d "${TMPDIR:-/tmp}/servery-postgres.XXXXXX")
if [[ -n $owner ]]; then chown "$owner" "$directory"; fi
if ((${#directory} > 80)) || ! (cd / && "${as_owner[@]}" test -w "$directory"); then
  rmdir "$directory"
  directory=$(mktemp -d /tmp/servery-postgres.XXXXXX)
  if [[ -n $owner ]]; then chown "$owner" "$directory"; fi
fi
readonly directory
readonly data=$directory/data log=$directory/server.log

# Runs a program of the server as the owner of the cluster, away from a directory that it may not enter.
run() { (cd / && "${as_owner[@]}" "$@"); }

stop() {
  trap '' INT TERM HUP
  if [[ -f $data/postmaster.pid ]]; then
    run "$server/pg_ctl" --pgdata="$data" --mode=immediate --silent stop >/dev/null 2>&1 || true
  fi
  rm -rf "$directory"
}
trap stop EXIT
trap 'exit 0' TERM HUP
trap '' INT

password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && printf '%s\n' "$password" >"$directory/password")
if [[ -n $owner ]]; then chown "$owner" "$directory/password"; fi

# Trust stands only on the socket, which lies in a directory that only the owner enters.
if ! run "$server/initdb" --pgdata="$data" --username=servery --pwfile="$directory/password" --auth-local=trust \
  --auth-host=scram-sha-256 --encoding=UTF8 --locale=C --no-sync >"$directory/initdb.log" 2>&1; then
  cat "$directory/initdb.log" >&2
  exit 1
fi

cat >>"$data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
unix_socket_directories = '$directory'
max_connections = 300
shared_buffers = 64MB
fsync = ${SERVERY_TEST_POSTGRES_FSYNC:-off}
full_page_writes = ${SERVERY_TEST_POSTGRES_FSYNC:-off}
SETTINGS

# Another process may take a port between the choice and the bind, so choose again until one holds.
port=''
for _ in {1..20}; do
  candidate=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
  if run "$server/pg_ctl" --pgdata="$data" --log="$log" --silent --wait --timeout=60 \
    -o "-p $candidate" start >/dev/null 2>&1; then
    port=$candidate
    break
  fi
  grep -q 'Address already in use' "$log" 2>/dev/null || break
  rm -f "$log"
done
if [[ -z $port ]]; then
  echo 'the Postgres cluster did not start:' >&2
  cat "$log" >&2 || true
  exit 1
fi

echo "postgres://servery:$password@127.0.0.1:$port/postgres?sslmode=disable"
if [[ ${1:-} != --commands ]]; then exec >/dev/null; fi

# Where the old server's connections still linger, its port may not be free at once.
start() { run "$server/pg_ctl" --pgdata="$data" --log="$log" --silent --wait --timeout=60 -o "-p $port" start; }

# Begins anew as a standby of the server at URL $1, which waits for nobody when it is promoted.
follow() {
  if [[ -f $data/postmaster.pid ]]; then
    run "$server/pg_ctl" --pgdata="$data" --mode=immediate --silent stop || return 1
  fi
  rm -rf "$data"
  run "$server/pg_basebackup" --pgdata="$data" --dbname="$1" --wal-method=stream --checkpoint=fast --no-sync \
    --write-recovery-conf || return 1
  echo "synchronous_standby_names = ''" >>"$data/postgresql.auto.conf"
  start
}

answer() { if "$@" >&2; then echo ok; else echo failed; fi; }

# Until end of file on standard input.
while read -r command argument; do
  case $command in
    stop) answer run "$server/pg_ctl" --pgdata="$data" --mode="$argument" --silent --wait --timeout=60 stop ;;
    start) answer start ;;
    restart)
      answer run "$server/pg_ctl" --pgdata="$data" --log="$log" --mode="$argument" --silent --wait --timeout=60 \
        -o "-p $port" restart
      ;;
    promote) answer run "$server/pg_ctl" --pgdata="$data" --silent --wait --timeout=60 promote ;;
    follow) answer follow "$argument" ;;
  esac
done
