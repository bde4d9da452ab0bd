#!/usr/bin/env bash
# Mutation testing: does a test fail when a line of the rules or of the service says something else?
#
#   tests/mutants.sh domain [OPTIONS OF cargo mutants ..]       for example --shard 0/4
#   tests/mutants.sh service --sample N [--from K] [OPTIONS ..]
#
# domain: src/domain imports nothing of the rest of the program, so it and its tests (those in src/domain and
# tests/transitions.rs) are built as a crate of their own, one binary, under target/mutants: a mutant is then
# judged in seconds. Everything is judged by the tests in src/domain, and what those miss of the order machine
# (ORDER below) by the walk of tests/transitions.rs. A shard is spread evenly over the files.
#
# service: a copy of the program under target/mutants/service, on SQLite. Each mutant costs a build of the whole
# library, so N of them are judged, evenly spread: of each group of files every k-th mutant, beginning with
# the one numbered K (0 unless told), by the tests that the group names below. Nothing random: the same call
# judges the same mutants of the same source. With CARGO_TARGET_DIR the libraries built there are used.
#
# Needs cargo-mutants (cargo install cargo-mutants --locked). The outcomes stand in target/mutants/*/mutants.out:
# rules, order (by the walk) and service-*. What was measured and why some are missed is in tests/mutants.md.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

readonly ORDER='^src/domain/(order/|access|payment)'

usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' tests/mutants.sh
  exit "$1"
}

# The rules and their tests as a crate of one binary: a mutant costs one compilation and one link.
# $1 is the folder, $2 the optimisation; with $3 the walk over the order machine is one of the tests.
prepare_domain() {
  local house=$1 optimisation=$2 walk=${3:-} used name line
  rm -rf "$house/src" "$house/tests"
  mkdir -p "$house/src" "$house/tests"
  cp -R src/domain "$house/src/domain"
  cp Cargo.lock "$house/"
  echo 'pub mod domain;' >"$house/src/lib.rs"
  if [[ $walk ]]; then
    cp -R tests/fixtures "$house/tests/fixtures"
    cp tests/transitions.rs "$house/tests/"
    cat >>"$house/src/lib.rs" <<'RUST'
#[cfg(test)]
extern crate self as servery;
#[cfg(test)]
#[path = "../tests/transitions.rs"]
mod transitions;
RUST
  fi
  # Only the libraries that the rules name, in the versions of the whole program.
  {
    printf '[package]\nname = "servery"\nversion = "0.1.0"\nedition = "2024"\npublish = false\nautotests = false\n'
    printf '\n[lib]\ndoctest = false\n\n[workspace]\n\n[dependencies]\n'
    used=$(grep -rhoE '\b[a-z][a-z_0-9]*::' src/domain | sort -u | tr -d ':')
    sed -n '/^\[dependencies\]/,/^\[/p' Cargo.toml | grep -E '^[a-z]' | while IFS= read -r line; do
      name=${line%% *}
      if grep -qx "${name//-/_}" <<<"$used"; then echo "$line"; fi
    done
    printf '\n[dev-dependencies]\n'
    grep -E '^proptest ' Cargo.toml
    printf '\n[profile.dev]\ndebug = false\nopt-level = %s\n' "$optimisation"
    printf '\n[profile.dev.package."*"]\nopt-level = 2\n'
  } >"$house/Cargo.toml"
}

# The baseline runs first and must pass. A mutant that hangs is a mutant that is caught.
domain() {
  local status=0 rules=target/mutants/rules/mutants.out order=target/mutants/order/mutants.out
  # Built apart from the program, both in one place; a found case must not make the next mutant fail.
  export CARGO_TARGET_DIR=$PWD/target/mutants/build
  export CARGO_INCREMENTAL=1 PROPTEST_CASES=128 PROPTEST_MAX_SHRINK_ITERS=0 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
  # Unoptimised compiles fastest, but the walk would take ten times as long.
  prepare_domain target/mutants/rules 0
  cargo mutants --dir target/mutants/rules --output target/mutants/rules --in-place --timeout 120 \
    --sharding round-robin "$@" || status=$?
  # 2: some were missed.
  ((status == 2)) || return "$status"
  grep -E "$ORDER" "$rules/missed.txt" >"$rules/missed-of-order.txt" || return 2
  prepare_domain target/mutants/order 1 walk
  # To judge only those, all others are said to be caught: deleted fields pass by the filters of names.
  rm -rf "$order" "$order.old"
  mkdir -p "$order"
  cargo mutants --dir target/mutants/order --list | grep -vxFf "$rules/missed-of-order.txt" >"$order/caught.txt"
  # The walk over altered tables judges the oracle, not the program.
  cargo mutants --dir target/mutants/order --output target/mutants/order --in-place --iterate --timeout 300 \
    -- -- --skip transitions::a_mutated_table
}

# The program and its tests as they stand in the working copy; a file that did not change keeps its time.
prepare_service() {
  local house=$1
  mkdir -p "$house"
  git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    cmp -s -- "$file" "$house/$file" || { [[ ! -e $file ]] || cp --parents -- "$file" "$house/"; }
  done
}

# Judges the mutants of the files "$2.." (up to --) by the tests after it; the outcome is kept under the name "$1".
judge() {
  local name=$1 files=() tests=()
  shift
  while [[ $1 != -- ]]; do
    files+=(--file "src/service/$1")
    shift
  done
  shift
  # As arguments of every call of cargo: what follows a -- is left out when it builds, which then builds all tests.
  for test in "$@"; do tests+=("--cargo-arg=--test=$test"); done
  mkdir -p "target/mutants/service-$name"
  cargo mutants --dir target/mutants/service --in-place --output "target/mutants/service-$name" --timeout 600 \
    --sharding round-robin --shard "$from/$every" "${options[@]}" "${files[@]}" "${tests[@]}"
}

service() {
  local sample='' from=0 options=() total every status=0
  while (($#)); do
    case $1 in
      --sample) sample=$2 ;;
      --from) from=$2 ;;
      *) break ;;
    esac
    shift 2
  done
  options=("$@")
  [[ $sample ]] || usage 2 >&2
  prepare_service target/mutants/service
  total=$(cargo mutants --dir target/mutants/service --list --file 'src/service/**' | wc -l)
  every=$((total / sample > 1 ? total / sample : 1))
  echo "src/service has $total mutants: of each group every ${every}th, from number $from."
  export CARGO_INCREMENTAL=1 SERVERY_TEST_SQLITE_ONLY=1
  judge orders orders.rs order_load.rs order_move.rs order_queries.rs order_view.rs payments.rs place.rs cart.rs kitchen.rs door.rs views.rs envelope.rs events.rs \
    paging.rs provider_memory.rs field_key.rs 'worker_*.rs' deliveries.rs notices.rs promotions.rs \
    -- flows worker property || status=$?
  judge steps order_actions.rs -- screens_console || status=$?
  judge goods 'menu*.rs' 'stock*.rs' settings.rs setup.rs -- goods goods_menu goods_ahead cli || status=$?
  judge office 'till*.rs' caller.rs 'report*.rs' staff.rs sign_in.rs secrets.rs tries.rs terminals.rs audit.rs 'health*.rs' \
    archive.rs 'generate*.rs' 'load/**' doctor.rs backup.rs webhooks.rs real.rs site_info.rs \
    -- till people reports health archive || status=$?
  return "$status"
}

case ${1:-} in
  domain | service) ;;
  -h | --help) usage 0 ;;
  *) usage 2 >&2 ;;
esac
if ! cargo mutants --version >/dev/null 2>&1; then
  echo 'cargo-mutants is missing. Install it (cargo install cargo-mutants --locked) and run this again.' >&2
  exit 1
fi
"$@"
exit "$?"
