#!/usr/bin/env bash
# check.sh RULE ...: checks one rule of the layers and prints every line that breaks it.
#
#   mpi-headers SOURCE          only src/mpi and the header of with_executor include MPI or Boost.MPI
#   job-headers SOURCE          jobs include only public headers, their own headers, std, and the libraries that they declare
#   rooms SOURCE                a room includes only the rooms that rooms.txt allows
#   header-guards SOURCE        every header has #pragma once
#   catch-versions SOURCE       tests use only what versions 2 and 3 of Catch2 have in common; support/catch.hpp has the rest
#   core-without-mpi NM ARCHIVE the core's archive refers to no symbol of MPI
#   links-no-mpi PROGRAM        the program needs no MPI library
set -u

fail() {
  echo "$1:"
  echo "$2"
  exit 1
}

case $1 in
  mpi-headers)
    cd "$2" || exit 1
    found=$(grep -rnE '^ *# *include *[<"](mpi\.h|mpi-ext\.h|pmix|boost/mpi)' include src jobs \
      --include='*.hpp' --include='*.cpp' --include='*.h' |
      grep -vE '^(src/mpi/|include/rankpool/with_executor\.hpp:)')
    [[ -z $found ]] || fail "MPI is included outside of src/mpi" "$found"
    ;;
  job-headers)
    cd "$2" || exit 1
    # The libraries that jobs/CMakeLists.txt declares, and the headers of the system.
    third_party='<(gmp\.h|gmpxx\.h|CLI/|nlohmann/|primesieve|flint/|hwy/|kainjow/|cblas\.h|boost/(gil|sort|serialization)|png\.h|jpeglib\.h|jerror\.h|zlib\.h)'
    system='<(fcntl|regex|dlfcn|malloc|unistd|spawn|poll|signal|sys/[a-z]+|sched|pthread|termios|immintrin)\.h>'
    std='<[a-z_0-9]+>'
    own='"'
    found=$(grep -rnE '^ *# *include' jobs --include='*.hpp' --include='*.cpp' |
      grep -vE "include *(<rankpool/(rankpool|register_result|result_files?|unfinished_file|written_files)\.hpp>|$third_party|$system|$std|$own)")
    [[ -z $found ]] || fail "jobs include undeclared libraries" "$found"
    found=$(grep -rn '^ *# *include *<CLI/' jobs --include='*.hpp' --include='*.cpp' | grep -v '^jobs/engine/[a-z_]*\.cpp:')
    [[ -z $found ]] || fail "only the sources of jobs/engine may include the command line parser" "$found"
    found=$(grep -rnE '^ *# *include *"(\.\./|src/|core/|mpi/|rankpool/)' jobs --include='*.hpp' --include='*.cpp')
    [[ -z $found ]] || fail "jobs include private headers" "$found"
    found=$(grep -rnwE 'MPI_[A-Z][a-z_]+|boost::mpi|rankpool::detail' jobs --include='*.hpp' --include='*.cpp')
    [[ -z $found ]] || fail "jobs use MPI or private names" "$found"
    ;;
  rooms)
    table=$(dirname "$(readlink -f "$0")")/rooms.txt
    cd "$2" || exit 1
    declare -A allowed room_of
    while IFS='|' read -r room headers below; do
      [[ $room != '#'* ]] || continue
      read -r room <<<"$room"
      allowed[$room]=" $room $below "
      for header in $headers; do room_of[$header]=$room; done
    done <"$table"
    broken=
    while IFS=: read -r file line include; do
      case $file in
        include/rankpool/detail/*) from=${file#include/rankpool/detail/} ;;
        include/rankpool/*) header=${file##*/} from=${room_of[${header%.hpp}]:-unlisted}/ ;;
        *) from=${file#src/} ;;
      esac
      from=${from%%/*}
      [[ $include =~ [\"\<]([^\"\>]*) ]] && target=${BASH_REMATCH[1]}
      case $target in
        rankpool/errors.hpp) continue ;;
        rankpool/detail/*) to=${target#rankpool/detail/} ;;
        rankpool/*) header=${target##*/} to=${room_of[${header%.hpp}]:-unlisted}/ ;;
        *) to=$target ;;
      esac
      to=${to%%/*}
      [[ ${allowed[$from]:-} == *" $to "* ]] || broken+="$file:$line: $from may not include $to"$'\n'
    done < <(grep -rnE '^ *# *include *("|<rankpool/)' include src --include='*.hpp' --include='*.cpp')
    [[ -z $broken ]] || fail "rooms.txt does not allow these includes" "$broken"
    ;;
  header-guards)
    cd "$2" || exit 1
    found=$(find include src jobs tests -name '*.hpp' -exec grep -L '^#pragma once$' {} +)
    [[ -z $found ]] || fail "these headers have no #pragma once" "$found"
    ;;
  catch-versions)
    cd "$2" || exit 1
    found=$(grep -rnE 'Catch::([A-Z][A-Za-z]*With|Contains|Matchers)|include *<catch2' tests --include='*.cpp' --include='*.hpp' |
      grep -v '^tests/support/catch\.hpp:')
    [[ -z $found ]] || fail "the two versions of Catch2 do not both have these names" "$found"
    ;;
  core-without-mpi)
    found=$("$2" -C "$3" 2>/dev/null | grep -E ' (MPIX?_[A-Z][A-Za-z_]+|PMIx_|ompi_|boost::mpi::)')
    [[ -z $found ]] || fail "the core refers to MPI" "$found"
    ;;
  links-no-mpi)
    found=$(ldd "$2" | grep -iE 'lib(open-?)?(mpi|pmix|rte|pal)|boost_mpi')
    [[ -z $found ]] || fail "a program that links only the core needs MPI libraries" "$found"
    ;;
  *)
    echo "check.sh: unknown rule $1" >&2
    exit 2
    ;;
esac
