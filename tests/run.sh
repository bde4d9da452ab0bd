#!/usr/bin/env bash
# The whole check of Servery: format, lints, documentation, dependencies, and every test on both databases.
#
#   tests/run.sh [--long]
#
# --long                       more rounds in the tests that take a number of rounds (SERVERY_TEST_LONG=1)
# SERVERY_TEST_SQLITE_ONLY=1   leave Postgres out; the last lines say so
# SERVERY_TEST_POSTGRES=URL    use this server (an account that may create databases) instead of a throw-away one
#
# What is missing is installed with apt when this runs as root on a system that has it; else the run says what
# to install and ends with status 1. The first step that fails ends the run.
set -euo pipefail
# Every step in a process group of its own, so that a signal ends all of it.
set -m

readonly support=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/support
cd "$support/../.."

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' tests/run.sh; }

for argument in "$@"; do
  case $argument in
    --long) export SERVERY_TEST_LONG=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      echo "unknown argument: $argument" >&2
      usage >&2
      exit 2
      ;;
  esac
done

child=''
cluster_pid=''
cluster_input=''
cargo_deny_note=''

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf '\nFAILED: %s\n' "$*" >&2
  exit 1
}

# Runs one step and ends the run when it fails.
step() {
  local name=$1 status=0
  shift
  say "$name"
  "$@" </dev/null &
  child=$!
  wait "$child" || status=$?
  child=''
  ((status == 0)) || fail "$name (status $status)"
}

finish() {
  trap '' INT TERM HUP
  if [[ -n $child ]]; then
    kill -TERM -- "-$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  if [[ -n $cluster_pid ]]; then
    # The end of its input tells the cluster to stop and to remove itself.
    eval "exec $cluster_input>&-"
    wait "$cluster_pid" 2>/dev/null || true
  fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# Installs the apt packages "$2.." where that is possible, else says what is needed for "$1".
install() {
  local what=$1
  shift
  if ((EUID == 0)) && command -v apt-get >/dev/null; then
    step "Installing $what: $*" env DEBIAN_FRONTEND=noninteractive \
      sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null' sh "$@"
  else
    fail "$what is missing. Install it (Debian, Ubuntu: sudo apt-get install $*) and run this again."
  fi
}

sqlite_only() { [[ ${SERVERY_TEST_SQLITE_ONLY:-} == 1 ]]; }

# --- What has to be there ---
if ! command -v cargo >/dev/null; then
  version=$(sed -nE 's/^rust-version = "(.*)"$/\1/p' Cargo.toml)
  fail "cargo is missing. Install Rust $version or newer (https://rustup.rs) and run this again."
fi
for component in fmt clippy; do
  cargo "$component" --version >/dev/null 2>&1 ||
    fail "cargo $component is missing. Install it (rustup component add rustfmt clippy) and run this again."
done
command -v cc >/dev/null || install 'a C compiler' gcc libc6-dev
# The server is no command of ordinary users, whose PATH may lack its folder.
if ! (command -v ssh && command -v ssh-keygen && PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v sshd) >/dev/null; then
  install 'OpenSSH, client and server' openssh-client openssh-server
fi

if sqlite_only; then
  unset SERVERY_TEST_POSTGRES
elif [[ -z ${SERVERY_TEST_POSTGRES:-} ]]; then
  "$support/postgres-cluster.sh" --find >/dev/null 2>&1 || install 'a Postgres server (15 or newer)' postgresql
  "$support/postgres-cluster.sh" --find >/dev/null ||
    fail 'Postgres 15 or newer is needed. Install it, or leave it out with SERVERY_TEST_SQLITE_ONLY=1.'
fi

# --- Without a database ---
step 'cargo fmt' cargo fmt --check
step 'cargo clippy' cargo clippy --all-targets --locked -- -D warnings
step 'cargo doc' env RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --locked
if cargo deny --version >/dev/null 2>&1; then
  step 'cargo deny' cargo deny --locked check --hide-inclusion-graph bans licenses sources
  # The advisories come from the network, which a machine may lack: that is said, not failed.
  if cargo deny --locked fetch db >/dev/null 2>&1; then
    step 'cargo deny: advisories' cargo deny --locked check --disable-fetch advisories
  else
    cargo_deny_note='The advisory database could not be fetched: advisories were NOT checked.'
  fi
else
  cargo_deny_note='cargo-deny is not installed: licences, sources and advisories were NOT checked (cargo install cargo-deny --locked).'
fi
if [[ -n $cargo_deny_note ]]; then
  say 'cargo deny: not run, or not whole'
  echo "$cargo_deny_note"
fi

# --- With both databases ---
if ! sqlite_only && [[ -z ${SERVERY_TEST_POSTGRES:-} ]]; then
  say 'Postgres: a throw-away cluster'
  coproc CLUSTER { exec "$support/postgres-cluster.sh"; }
  cluster_pid=$CLUSTER_PID
  cluster_output=${CLUSTER[0]:-}
  cluster_input=${CLUSTER[1]:-}
  [[ -n $cluster_output && -n $cluster_input ]] || fail 'the Postgres cluster did not start'
  read -r SERVERY_TEST_POSTGRES <&"$cluster_output" || fail 'the Postgres cluster did not start'
  export SERVERY_TEST_POSTGRES
  echo "$SERVERY_TEST_POSTGRES" | sed -E 's|//([^:]*):[^@]*@|//\1:***@|'
fi

# Screens and processes are waited for with limits: more tests at once than cores would only make them late.
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((cores < 2 ? 2 : cores > 8 ? 8 : cores))}
step 'cargo test' cargo test --locked

say 'All passed'
if [[ -n $cargo_deny_note ]]; then echo "$cargo_deny_note"; fi
if sqlite_only; then
  echo 'SERVERY_TEST_SQLITE_ONLY=1: the tests ran on SQLite only. NOTHING was tested on Postgres.'
else
  echo 'Tests ran on SQLite and on Postgres.'
fi
