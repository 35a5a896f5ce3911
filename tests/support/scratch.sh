# shellcheck shell=bash
# Sourced by test scripts: changes to a new temporary folder, `scratch`, which is removed at the end of the script.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

# fail MESSAGE [FILE...]: ends the test with the message and the contents of the files.
fail() {
  echo "$1"
  shift
  (($# == 0)) || head -c 3000 "$@"
  exit 1
}
