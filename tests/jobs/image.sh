#!/usr/bin/env bash
# image.sh CASE COMMAND...: the job `image` on real files, seen from outside; COMMAND runs `rankpool`. Prints what is not as it
# should be. The status is 0 if all is, 77 if this machine cannot show it.
set -u
case=$1
shift
command=("$@")

# shellcheck source=../support/processes.sh
source "${BASH_SOURCE[0]%/*}/../support/processes.sh"
# shellcheck source=../support/waiting.sh
source "${BASH_SOURCE[0]%/*}/../support/waiting.sh"
# shellcheck source=../support/scratch.sh
source "${BASH_SOURCE[0]%/*}/../support/scratch.sh"
wrong=0
complain() {
  echo "$1"
  wrong=1
}
skip() {
  echo "skipped: $1"
  exit 77
}
image() { "${command[@]}" image "$@" >stdout 2>stderr; }
expect_status() {  # STATUS ARGUMENT...
  local expected=$1 got
  shift
  image "$@"
  got=$?
  ((got == expected)) || { complain "status $got, not $expected: image $*"; cat stdout stderr; }
}
same() { cmp -s "$1" "$2" || complain "$1 and $2 differ"; }
noise() { head -c "$1" /dev/zero | openssl enc -aes-128-ctr -K 0 -iv "$2" 2>/dev/null || head -c "$1" /dev/urandom; }
picture() {  # FILE WIDTH HEIGHT SEED: RGB
  { printf 'P6\n%d %d\n255\n' "$2" "$3"; noise $((3 * $2 * $3)) "$4"; } >"$1"
}

case $case in
  known-answers)
    printf 'P2 3 3 255  0 0 90  0 0 90  0 0 90' >step.pgm
    expect_status 0 --op box --radius 1 step.pgm --output mean.pgm
    [[ $(tail -c 9 mean.pgm | od -An -tu1 | tr -s ' ') == ' 0 30 60 0 30 60 0 30 60' ]] || complain "the means are wrong"
    [[ $(<stdout) == 'Pictures: 1 of 1, 9 pixels' ]] || complain "stdout is: $(<stdout)"
    printf 'P6 1 1 255 \377\1\1' >dot.ppm
    for op in grayscale sobel 'box --radius 9' 'gaussian --sigma 5'; do
      # shellcheck disable=SC2086
      expect_status 0 --op $op dot.ppm --output dot.png --force --verify
    done
    ;;

  folder)  # files that are no pictures are reported, the others done
    mkdir in
    for n in 1 2 3; do picture in/$n.ppm $((n * 7)) 50 $n; done
    echo 'Dear diary' >in/notes.txt
    : >in/empty.png
    head -c 100 in/3.ppm >in/short.ppm
    mkfifo in/pipe.png
    mkdir in/subfolder
    expect_status 1 --op box --radius 2 in --output out --verify
    (cd out && [[ $(echo *) == '1.ppm 2.ppm 3.ppm' ]]) || complain "in the folder: $(ls -A out)"
    for problem in 'in/notes.txt: is neither PNG nor JPEG nor PNM' 'in/empty.png: is empty' 'in/short.ppm: ends too early' 'in/pipe.png: is not a regular file'; do
      grep -q "$problem" stderr || complain "stderr does not say: $problem"
    done
    [[ $(wc -l <stderr) == 4 ]] || complain "stderr: $(<stderr)"
    [[ $(<stdout) == 'Pictures: 3 of 7, 2100 pixels' ]] || complain "stdout is: $(<stdout)"
    # Once they are gone, the same command succeeds; what exists is replaced only when asked.
    rm in/notes.txt in/empty.png in/short.ppm in/pipe.png
    sum=$(cat out/* | cksum)
    expect_status 2 --op gaussian --sigma 1 in --output out
    grep -q 'exists already; --force replaces it' stderr || complain "stderr: $(<stderr)"
    rm out/1.ppm
    expect_status 2 --op box --radius 1 in --output out
    [[ ! -e out/1.ppm ]] || complain "a picture was written, though the others could not be"
    expect_status 0 --op box --radius 2 in --output out --force
    [[ $(cat out/* | cksum) == "$sum" ]] || complain "the second run gave other pictures"
    ;;

  any-workers)  # the same bytes inline, on ranks, by file and by strips
    picture a.ppm 200 300 1
    RANKPOOL_WORKERS=0 image --op gaussian --sigma 3 a.ppm --output b.png || complain "$(<stderr)"
    image --op gaussian --sigma 3 a.ppm --output c.png || complain "$(<stderr)"
    image --op gaussian --sigma 3 a.ppm --output d.png --split-from 1 || complain "$(<stderr)"
    same b.png c.png
    same b.png d.png
    image --op gaussian --sigma 3 a.ppm --output e.pnm --split-from 1 --chunksize 16 --verify || complain "$(<stderr)"
    image --op gaussian --sigma 3 a.ppm --output f.pnm || complain "$(<stderr)"
    same e.pnm f.pnm
    image --op gaussian --sigma 3 a.ppm --output i.pnm --split-from 1 --chunksize 1e12 || complain "$(<stderr)"
    same e.pnm i.pnm
    image --op gaussian --sigma 3 b.png --output g.jpg --split-from 1 --chunksize 1 || complain "$(<stderr)"
    image --op gaussian --sigma 3 b.png --output h.jpg || complain "$(<stderr)"
    same g.jpg h.jpg
    ;;

  huge)  # headers that speak of more pixels than there is memory for
    limited() { (ulimit -v 6000000 && "$@"); }
    limited "${command[@]}" --version >/dev/null 2>&1 || skip "it does not run in 6 GB of addresses"
    command=(limited "${command[@]}")
    mkdir in
    picture in/a.ppm 20 30 1
    printf '\211PNG\015\012\032\012\000\000\000\015IHDR\000\017B\100\000\017B\100\020\006\000\000\001\173\372\324\250\000\000\000\000IDAT\065\257\006\036' >in/interlaced.png
    printf '\377\330\377\302\000\021\010\377\334\377\334\003\001\021\000\002\021\000\003\021\000\377\332\000\014\003\001\000\002\000\003\000\000\000\000' >in/progressive.jpg
    for split in 1 1e13; do
      expect_status 1 --op box --radius 1 in --output out --split-from $split --force
      for problem in 'in/interlaced.png: .*1000000 x 1000000' 'in/progressive.jpg: .*65500 x 65500'; do
        grep -q "^rankpool image: $problem" stderr || complain "split from $split: stderr does not say: $problem"
      done
      [[ $(wc -l <stderr) == 2 && $(<stdout) == 'Pictures: 1 of 3, 600 pixels' ]] || complain "$(<stderr)$(<stdout)"
    done
    ;;

  imagemagick)  # the same within one level, edges included
    convert -version 2>/dev/null | grep -q 'ImageMagick 6' || skip "no ImageMagick 6 here"
    picture a.ppm 57 43 1
    convert a.ppm -depth 16 -resize '91x77!' wide.png
    convert a.ppm -type Palette -colors 40 palette.gif && convert palette.gif PNG8:palette.png
    convert a.ppm -interlace PNG interlaced.png
    convert a.ppm -interlace JPEG -sampling-factor 2x2 -quality 80 progressive.jpg
    convert a.ppm -colorspace Gray gray.jpg
    compared() {  # INPUT, ours, ImageMagick's
      # shellcheck disable=SC2086
      expect_status 0 --op $2 "$1" --output own.png --force --verify
      # shellcheck disable=SC2086
      convert "$1" $3 reference.png
      local levels
      levels=$(compare -metric PAE own.png reference.png null: 2>&1 | sed 's/.*(\(.*\))/\1/')
      awk -v l="${levels:-1}" 'BEGIN { exit !(l * 255 <= 1.001) }' || complain "$1, $2: differs by $levels of the range"
    }
    for input in a.ppm wide.png palette.png interlaced.png progressive.jpg gray.jpg; do
      compared $input grayscale '-colorspace Gray'
      compared $input 'gaussian --sigma 2' '-blur 6x2'
      compared $input 'box --radius 3' '-virtual-pixel edge -define convolve:scale=! -morphology Convolve Square:3'
    done
    compared gray.jpg sobel '-fx xx=p[1,-1]+2*p[1,0]+p[1,1]-p[-1,-1]-2*p[-1,0]-p[-1,1];yy=p[-1,1]+2*p[0,1]+p[1,1]-p[-1,-1]-2*p[0,-1]-p[1,-1];min(1,hypot(xx,yy))'
    # ImageMagick reads all that is written.
    expect_status 0 --op gaussian --sigma 1 wide.png --output own.jpg --split-from 1
    [[ $(identify -format '%w %h %m' own.jpg) == '91 77 JPEG' ]] || complain "own.jpg: $(identify own.jpg 2>&1)"
    convert own.jpg rgb:- 2>warnings >/dev/null
    [[ ! -s warnings ]] || complain "$(<warnings)"
    ;;

  full-disk)
    mkdir small
    mount -t tmpfs -o size=256k tmpfs small 2>/dev/null || skip "no small file system can be mounted here"
    trap 'umount "$scratch/small"; rm -rf "$scratch"' EXIT
    picture a.ppm 400 400 1
    cp a.ppm b.ppm
    for format in pnm png; do
      for split in 1 1e9; do
        expect_status 1 --op box --radius 1 a.ppm b.ppm --format $format --output small --split-from $split
        [[ $(grep -c 'cannot write small/.*: No space left on device' stderr) == 2 && -z $(ls -A small) ]] ||
          complain "$format, split from $split: $(<stderr); in the folder: $(ls -A small)"
      done
    done
    picture c.ppm 20 20 1
    expect_status 0 --op box --radius 1 c.ppm --output small/c.ppm
    ;;

  worker-terminated)  # the worker ends, and with it the run
    picture a.ppm 3000 2000 1
    setsid "${command[@]}" image --op gaussian --sigma 60 a.ppm --output b.ppm --split-from 1e9 >/dev/null 2>stderr &
    run=$!
    until_true 60 compgen -G 'b.ppm.part-*' >/dev/null || complain "no file in the making was seen"
    part=$(compgen -G 'b.ppm.part-*')
    kill -TERM "${part##*-}"
    until_true 20 eval "! kill -0 $run 2>/dev/null" || { complain "the run goes on"; kill_session "$run"; }
    wait "$run" && complain "the status is 0"
    [[ $(echo b.ppm*) == 'b.ppm*' ]] || complain "it leaves $(echo b.ppm*)"
    ;;

  launcher-killed)  # the ranks end as well
    picture a.ppm 3000 2000 1
    setsid "${command[@]}" image --op gaussian --sigma 60 a.ppm --output b.ppm --split-from 1e9 >/dev/null 2>&1 &
    run=$!
    until_true 60 compgen -G 'b.ppm.part-*' >/dev/null || complain "no file in the making was seen"
    launcher=$(pgrep -P "$run" -x mpirun)
    ranks=$(pgrep -d, -P "$launcher")
    [[ $ranks == *,*,* ]] || complain "it runs ${ranks:-no ranks}"
    kill -KILL "$launcher" "$run"
    are_gone() { ! ps -o stat= -p "$ranks" | grep -q '^[^Z]'; }
    until_true 10 are_gone || complain "ranks are left: $(ps -o pid=,stat=,wchan= -p "$ranks")"
    wait "$run" 2>/dev/null
    ;;

  streams)  # a FIFO, an open descriptor and stdout are written as they are; a symbolic link stays one
    picture a.ppm 20 30 1
    sobel=(--op sobel a.ppm --format png)
    expect_status 0 "${sobel[@]}" --output expected.png
    expect_status 0 --op box --radius 1 a.ppm --output expected.ppm
    mkfifo pipe
    ln -s pipe link
    for output in pipe link; do
      timeout 20 cat pipe >got &
      expect_status 0 "${sobel[@]}" --output $output --force
      wait
      same got expected.png
      [[ -p pipe && -L link ]] || complain "$output was replaced: $(ls -l)"
    done
    for output in - /dev/stdout; do
      expect_status 0 "${sobel[@]}" --output $output
      same stdout expected.png
      [[ ! -s stderr ]] || complain "stderr: $(<stderr)"
      expect_status 0 --op box --radius 1 a.ppm --output $output --split-from 1
      same stdout expected.ppm
    done
    if [[ ${RANKPOOL_WORKERS:-} == 0 ]]; then  # a descriptor of this shell does not come through the launcher
      "${command[@]}" image "${sobel[@]}" --output /dev/fd/3 3>got >stdout 2>stderr
      same got expected.png
    fi
    "${command[@]}" image "${sobel[@]}" --output - >&- 2>stderr
    [[ $? == 1 && $(<stderr) == 'rankpool image: cannot write standard output: '* ]] || complain "closed stdout: $(<stderr)"
    ln -s real.png link.png
    for force in '' --force; do
      # shellcheck disable=SC2086
      expect_status 0 --op sobel a.ppm --output link.png $force
      [[ -L link.png ]] || complain "the symbolic link was replaced"
      same real.png expected.png
    done
    mkdir out && mkfifo out/a.pgm
    expect_status 2 --op sobel a.ppm --output out --force
    grep -q 'out/a.pgm is not a regular file' stderr || complain "a FIFO in the folder of results: $(<stderr)"
    [[ -p out/a.pgm && ! -e - ]] || complain "something was replaced or made: $(ls -l . out)"
    ;;

  devices)  # private ones: a test that fails must not destroy those of the machine
    mknod null c 1 3 2>/dev/null && mknod full c 1 7 && : 2>/dev/null >null || skip "no devices can be made here"
    picture a.ppm 20 30 1
    expect_status 0 --op sobel a.ppm --format png --output null --force
    expect_status 0 --op sobel a.ppm --format png --output null
    expect_status 1 --op sobel a.ppm --format png --output full --force
    grep -q 'cannot write full: No space left on device' stderr || complain "a full device: $(<stderr)"
    [[ -c null && -c full ]] || complain "a device was replaced: $(ls -l)"
    ;;

  in-place)  # a picture may replace itself, but no other input
    mkdir in expected out
    for n in 1 2; do picture in/$n.ppm 30 20 $n; done
    cp -r in copy
    expect_status 0 --op box --radius 1 in --output expected
    expect_status 0 --op box --radius 1 in/1.ppm --output in/1.ppm --force --verify
    same in/1.ppm expected/1.ppm
    expect_status 0 --op box --radius 1 copy --output copy --force
    for n in 1 2; do same copy/$n.ppm expected/$n.ppm; done
    ln -s ../in/2.ppm out/1.ppm
    ln -s 1.ppm out/2.ppm
    before=$(cat in/* | cksum)
    refused() {
      expect_status 2 "$@"
      grep -q 'are the same file; choose another' stderr || complain "stderr: $(<stderr)"
    }
    refused --op box --radius 1 in --output out --force
    refused --op box --radius 1 in/2.ppm --output out/1.ppm --force --journal journal
    refused --op box --radius 1 in/2.ppm --output journal.ppm --force --journal journal.ppm
    refused --output journal --journal journal
    ln -sf shared.ppm out/1.ppm
    refused --op box --radius 1 in --output out --force
    [[ $(cat in/* | cksum) == "$before" && ! -e journal ]] || complain "an input was replaced"
    ;;

  usage)
    picture a.ppm 5 5 1
    echo text >b.png
    mkdir empty other && cp a.ppm other
    refused() {  # REGEX ARGUMENT...
      local expected=$1
      shift
      expect_status 2 "$@"
      { [[ $(wc -l <stderr) == 1 && ! -s stdout ]] && grep -qE -- "$expected" stderr; } || complain "not one line with '$expected': $(<stderr)"
    }
    refused '--op' a.ppm --output b.ppm
    refused '--output' --op sobel a.ppm
    refused 'needs pictures' --op sobel
    refused '--radius' --op box a.ppm --output c.ppm
    refused '--radius' --op box --radius 0 a.ppm --output c.ppm
    refused '--radius is for' --op sobel --radius 1 a.ppm --output c.ppm
    refused '--sigma' --op gaussian a.ppm --output c.ppm
    refused "not 'wide'" --op gaussian --sigma wide a.ppm --output c.ppm
    refused '0.1 to 333.3' --op gaussian --sigma nan a.ppm --output c.ppm
    refused '--sigma is for' --op box --radius 1 --sigma 1 a.ppm --output c.ppm
    refused '--op' --op sharpen a.ppm --output c.ppm
    refused 'no file or folder d.ppm' --op sobel a.ppm d.ppm --output out
    refused 'b.png: is neither' --op sobel b.png --output c.png
    refused 'no files in the folder empty' --op sobel empty --output out
    refused 'is a file; several pictures' --op sobel a.ppm b.png --output a.ppm
    refused 'is not a folder' --op sobel a.ppm b.png --output -
    refused '--json and --output - both' --op sobel a.ppm --output - --json
    refused '--verify reads the result again' --op sobel a.ppm --output - --verify
    for extension in webp tif GIF; do
      for format in '' '--format png'; do
        # shellcheck disable=SC2086
        refused "c.$extension: .${extension,,} pictures cannot be written; choose .png, .jpg, .pgm, .ppm or .pnm" \
          --op sobel a.ppm --output c.$extension $format
      done
    done
    refused 'c.jpg: the picture is written as PNG, and .jpg names another format' --op sobel a.ppm --output c.jpg --format png
    refused 'would both be out/a.pgm' --op sobel a.ppm other --output out
    refused 'gray: choose' --op sobel a.ppm --output c.ppm
    refused 'RGB: choose' --op box --radius 1 a.ppm --output c.pgm
    refused 'nowhere' --op sobel a.ppm --output nowhere/c.pgm
    refused 'nowhere' --op sobel a.ppm b.png --output nowhere/out
    refused 'exists already' --op sobel a.ppm --output b.png
    refused '--size' --op sobel a.ppm --output c.pgm --size 5
    [[ $(echo *) == 'a.ppm b.png empty other stderr stdout' ]] || complain "something was made: $(ls)"
    # In a folder the names are those of the inputs, whatever these hold
    mkdir in
    expect_status 0 --op sobel a.ppm --format png --output in/d
    mv in/d in/d.gif
    expect_status 1 --op sobel in --output out
    grep -q 'out/d.gif: .gif pictures cannot be written' stderr || complain "stderr: $(<stderr)"
    [[ -z $(ls out) ]] || complain "something was made: $(ls out)"
    expect_status 0 --op sobel in --output out --format png
    [[ $(ls out) == d.gif.png ]] || complain "in the folder: $(ls out)"
    ;;

  *) complain "there is no case $case" ;;
esac
exit "$wrong"
