# shellcheck shell=bash
# Sourced by test scripts: from here on they are in a folder of their own, `scratch`, which goes when they end.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

# fail MESSAGE [FILE...]: ends the test, with what stands in the files.
fail() {
  echo "$1"
  shift
  (($# == 0)) || head -c 3000 "$@"
  exit 1
}
