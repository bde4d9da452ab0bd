#!/usr/bin/env bash
# Mutation testing of the rules: does a test fail when a line of src/domain says something else?
#
#   tests/mutants.sh [OPTIONS OF cargo mutants ..]      for example: tests/mutants.sh --shard 0/8
#
# The rules import nothing of the rest of the program, so they and their tests (those in src/domain and
# tests/transitions.rs) are built as a crate of their own under target/mutants: a change is then judged in
# seconds. Needs cargo-mutants (cargo install cargo-mutants --locked). The outcome stands in
# target/mutants/domain/mutants.out.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

if ! cargo mutants --version >/dev/null 2>&1; then
  echo 'cargo-mutants is missing. Install it (cargo install cargo-mutants --locked) and run this again.' >&2
  exit 1
fi

readonly house=target/mutants/domain
rm -rf "$house/src" "$house/tests"
mkdir -p "$house/src" "$house/tests"
cp -R src/domain "$house/src/domain"
cp -R tests/fixtures "$house/tests/fixtures"
cp tests/transitions.rs "$house/tests/"
cp Cargo.lock "$house/"
echo 'pub mod domain;' >"$house/src/lib.rs"

# Only the libraries that the rules name, in the versions of the whole program.
{
  printf '[package]\nname = "servery"\nversion = "0.1.0"\nedition = "2024"\npublish = false\n\n[workspace]\n\n[dependencies]\n'
  used=$(grep -rhoE '\b[a-z][a-z_0-9]*::' src/domain | sort -u | tr -d ':')
  sed -n '/^\[dependencies\]/,/^\[/p' Cargo.toml | grep -E '^[a-z]' | while IFS= read -r line; do
    name=${line%% *}
    if grep -qx "${name//-/_}" <<<"$used"; then echo "$line"; fi
  done
  printf '\n[dev-dependencies]\n'
  grep -E '^proptest ' Cargo.toml
  printf '\n[profile.dev]\ndebug = false\nopt-level = 1\n'
} >"$house/Cargo.toml"

exec cargo mutants --dir "$house" --output "$house" --in-place "$@"
