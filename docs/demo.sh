#!/usr/bin/env bash
# The story of one legacy file: made, refused, mended, accepted, cut to a fixture. Run it with `make demo`.
# Usage: docs/demo.sh FOLDER    works in FOLDER/demo, which is wiped first
set -euo pipefail

mkdir -p "${1:?usage: docs/demo.sh FOLDER}"
cd "$1"
rm -rf demo
mkdir demo

fail() {
  printf '\ndemo: %s\n' "$1" >&2
  exit 1
}

# expect STATUS COMMAND...: show the command, run it, insist on its exit status. What it printed stays in $output.
expect() {
  local wanted=$1 status=0
  shift
  printf '\n$ %s\n' "$*"
  output=$("$@" 2>&1) || status=$?
  printf '%s\n' "$output"
  printf '[exit status %d]\n' "$status"
  [[ $status -eq $wanted ]] || fail "exit status $status where $wanted was expected: $*"
}

echo 'A dataset as it was written years ago: the scan axis last, double precision.'
expect 0 generate-npz simulate --contract ptychopinn/legacy-hwn --output demo/legacy.npz

printf '\nCan I train on it? No, and it says why.\n'
expect 1 validate-npz demo/legacy.npz
[[ $output == *FORMAT-001* ]] || fail 'the legacy axis order was not found: no FORMAT-001'

printf '\nMend it, into a new file.\n'
expect 0 generate-npz convert demo/legacy.npz demo/canonical.npz
expect 0 validate-npz demo/canonical.npz

printf '\nCut a small file out of it, for tests.\n'
expect 0 generate-npz fixture --source demo/legacy.npz --output demo/fixture.npz
expect 0 validate-npz --contract ptychopinn/fixture-v1 demo/fixture.npz

printf '\ndemo: every step ended as expected\n'
