"""Tests the job `image` on real files: known answers, folders, refused input, output names, and how a run ends. Compares results
with those of ImageMagick, if it is installed.
"""
import os
import re
import shutil
import signal
import stat
import subprocess

import pytest

import jobs

both = pytest.mark.modes("inline", "ranks")
ranks = pytest.mark.modes("ranks")
BOX = ("--op", "box", "--radius", "1")


def image(command, *arguments, **how):
    return command.run("image", *arguments, **how)


def noise(command, name, width, height, seed=0):
    """Writes an RGB picture."""
    pixels = bytearray(jobs.noise(3 * width * height + seed)[seed:])
    command.write(name, b"P6\n%d %d\n255\n" % (width, height) + pixels)


def expect_summary(done, pictures, of, pixels):
    assert done.stdout == f"Pictures: {pictures} of {of}, {pixels} pixels\n"


# --- Results ---------------------------------------------------------------------------------------------------------

def test_known_means(command):
    command.write("step.pgm", "P2 3 3 255  0 0 90  0 0 90  0 0 90")
    expect_summary(image(command, *BOX, "step.pgm", "--output", "mean.pgm"), 1, 1, 9)
    assert command.read("mean.pgm")[-9:] == bytes([0, 30, 60] * 3)


@pytest.mark.parametrize("operation", ["grayscale", "sobel", "box --radius 9", "gaussian --sigma 5"])
def test_one_pixel(operation, command):
    command.write("dot.ppm", b"P6 1 1 255 \377\1\1")
    image(command, "--op", *operation.split(), "dot.ppm", "--output", "dot.png", "--verify")


@ranks
def test_any_workers(command):
    """Results have the same bytes inline, on ranks, by file and by strips."""
    noise(command, "a.ppm", 200, 300)
    blur = ("--op", "gaussian", "--sigma", "3")

    def result(name, *options, source="a.ppm", **how):
        image(command, *blur, source, "--output", name, *options, **how)
        return command.read(name)

    whole = result("b.png", workers=0)
    assert result("c.png") == whole
    assert result("d.png", "--split-from", "1") == whole
    strips = result("e.pnm", "--split-from", "1", "--chunksize", "16", "--verify")
    assert result("f.pnm") == strips
    assert result("i.pnm", "--split-from", "1", "--chunksize", "1e12") == strips
    jpeg = result("g.jpg", "--split-from", "1", "--chunksize", "1", source="b.png")
    assert result("h.jpg", source="b.png") == jpeg


SOBEL_BY_IMAGEMAGICK = ("xx=p[1,-1]+2*p[1,0]+p[1,1]-p[-1,-1]-2*p[-1,0]-p[-1,1];"
                        "yy=p[-1,1]+2*p[0,1]+p[1,1]-p[-1,-1]-2*p[0,-1]-p[1,-1];min(1,hypot(xx,yy))")


def test_imagemagick(command):
    """ImageMagick gives the same results within one level, including edges, and reads all written formats."""
    def tool(*words):
        return subprocess.run(words, cwd=command.folder, capture_output=True, text=True, timeout=command.seconds, check=False)

    if not shutil.which("convert") or "ImageMagick 6" not in tool("convert", "-version").stdout:
        pytest.skip("no ImageMagick 6 here")
    noise(command, "a.ppm", 57, 43)
    for words in ("a.ppm -depth 16 -resize 91x77! wide.png", "a.ppm -type Palette -colors 40 palette.gif",
                  "palette.gif PNG8:palette.png", "a.ppm -interlace PNG interlaced.png", "a.ppm -colorspace Gray gray.jpg",
                  "a.ppm -interlace JPEG -sampling-factor 2x2 -quality 80 progressive.jpg"):
        assert tool("convert", *words.split()).returncode == 0, words

    def compare(source, ours, theirs):
        image(command, "--op", *ours, source, "--output", "own.png", "--force", "--verify")
        tool("convert", source, *theirs, "reference.png")
        metric = tool("compare", "-metric", "PAE", "own.png", "reference.png", "null:").stderr
        levels = float(re.search(r"\((.*)\)", metric)[1]) * 255
        assert levels <= 1.001, f"{source}, {ours}: differs by {levels} levels"

    square = ["-virtual-pixel", "edge", "-define", "convolve:scale=!", "-morphology", "Convolve", "Square:3"]
    for source in ("a.ppm", "wide.png", "palette.png", "interlaced.png", "progressive.jpg", "gray.jpg"):
        compare(source, ["grayscale"], ["-colorspace", "Gray"])
        compare(source, ["gaussian", "--sigma", "2"], ["-blur", "6x2"])
        compare(source, ["box", "--radius", "3"], square)
    compare("gray.jpg", ["sobel"], ["-fx", SOBEL_BY_IMAGEMAGICK])
    image(command, "--op", "gaussian", "--sigma", "1", "wide.png", "--output", "own.jpg", "--split-from", "1")
    assert tool("identify", "-format", "%w %h %m", "own.jpg").stdout == "91 77 JPEG"
    assert tool("convert", "own.jpg", "null:").stderr == ""


# --- Folders ---------------------------------------------------------------------------------------------------------

@both
def test_folder(command):
    """Files that are not pictures are reported, the others processed. Without these files, the command succeeds."""
    command.path("in").mkdir()
    for n in (1, 2, 3):
        noise(command, f"in/{n}.ppm", n * 7, 50, n)
    command.write("in/notes.txt", "Dear diary\n")
    command.write("in/empty.png", "")
    command.write("in/short.ppm", command.read("in/3.ppm")[:100])
    os.mkfifo(command.path("in/pipe.png"))
    command.path("in/subfolder").mkdir()
    done = image(command, "--op", "box", "--radius", "2", "in", "--output", "out", "--verify", status=1)
    results = ["1.ppm", "2.ppm", "3.ppm"]
    assert sorted(os.listdir(command.path("out"))) == results
    assert len(done.messages) == 5 and done.messages[-1].startswith("rankpool: verified: 3 of 7 pictures, 4 failed: ")
    for name in ("notes.txt", "empty.png", "short.ppm", "pipe.png"):
        assert f"in/{name}: " in done.stderr
    expect_summary(done, 3, 7, 2100)

    for name in ("notes.txt", "empty.png", "short.ppm", "pipe.png"):
        command.path(f"in/{name}").unlink()
    first = [command.read(f"out/{name}") for name in results]
    command.fail("image", "--op", "gaussian", "--sigma", "1", "in", "--output", "out", names=("exists already", "--force"))
    command.path("out/1.ppm").unlink()
    command.fail("image", *BOX, "in", "--output", "out", names="exists already")  # writes none, as not all are possible
    image(command, "--op", "box", "--radius", "2", "in", "--output", "out", "--force")
    assert [command.read(f"out/{name}") for name in results] == first


PNG_OF_10_12_PIXELS = (b"\211PNG\r\n\032\n\0\0\0\015IHDR\0\017B\100\0\017B\100\020\006\0\0\001\173\372\324\250"
                       b"\0\0\0\0IDAT\065\257\006\036")
JPEG_OF_65500 = (b"\377\330\377\302\0\021\010\377\334\377\334\003\001\021\0\002\021\0\003\021\0"
                 b"\377\332\0\014\003\001\0\002\0\003\0\0\0\0")


@pytest.mark.parametrize("split_from", ["1", "1e13"])
def test_more_pixels_than_memory(split_from, command, pytestconfig):
    """A header that announces more pixels than fit into memory fails only its own picture."""
    if not pytestconfig.getoption("--failing-files"):
        pytest.skip("a sanitizer takes more addresses")
    command.path("in").mkdir()
    noise(command, "in/a.ppm", 20, 30)
    command.write("in/interlaced.png", PNG_OF_10_12_PIXELS)
    command.write("in/progressive.jpg", JPEG_OF_65500)
    done = image(command, *BOX, "in", "--output", "out", "--split-from", split_from, status=1,
                 prefix=("prlimit", "--as=6144000000", "--"))
    assert len(done.messages) == 2
    assert re.search("^rankpool image: in/interlaced.png: .*1000000 x 1000000", done.stderr, re.MULTILINE)
    assert re.search("^rankpool image: in/progressive.jpg: .*65500 x 65500", done.stderr, re.MULTILINE)
    expect_summary(done, 1, 3, 600)


def test_names_of_inputs(command):
    """In a folder, results have the names of their inputs, regardless of the contents."""
    noise(command, "a.ppm", 5, 5)
    command.path("in").mkdir()
    image(command, "--op", "sobel", "a.ppm", "--format", "png", "--output", "in/d")
    command.path("in/d").rename(command.path("in/d.gif"))
    done = image(command, "--op", "sobel", "in", "--output", "out", status=1)
    assert "out/d.gif: .gif pictures cannot be written" in done.stderr and os.listdir(command.path("out")) == []
    image(command, "--op", "sobel", "in", "--output", "out", "--format", "png")
    assert os.listdir(command.path("out")) == ["d.gif.png"]


def test_pictures_replace_themselves(command):
    """A result may replace its own input, but no other input."""
    for name in ("in", "expected", "out"):
        command.path(name).mkdir()
    for n in (1, 2):
        noise(command, f"in/{n}.ppm", 30, 20, n)
    shutil.copytree(command.path("in"), command.path("copy"))
    image(command, *BOX, "in", "--output", "expected")
    image(command, *BOX, "copy", "--output", "copy", "--force")
    assert [command.read(f"copy/{n}.ppm") for n in (1, 2)] == [command.read(f"expected/{n}.ppm") for n in (1, 2)]

    def refused(*arguments):
        command.fail("image", *BOX, *arguments, "--force", names="same file")

    command.path("out/1.ppm").symlink_to("../in/2.ppm")
    command.path("out/2.ppm").symlink_to("1.ppm")
    refused("in", "--output", "out")
    refused("in/2.ppm", "--output", "out/1.ppm", "--journal", "kept")
    refused("in/2.ppm", "--output", "kept.ppm", "--journal", "kept.ppm")
    command.path("out/1.ppm").unlink()
    command.path("out/1.ppm").symlink_to("shared.ppm")
    refused("in", "--output", "out")


# --- Where results go ------------------------------------------------------------------------------------------------

SOBEL = ("--op", "sobel", "a.ppm", "--format", "png")


@pytest.fixture(name="expected")
def fixture_expected(command):
    """Returns the results for a.ppm, read from files."""
    noise(command, "a.ppm", 20, 30)
    image(command, *SOBEL, "--output", "expected.png")
    image(command, *BOX, "a.ppm", "--output", "expected.ppm")
    return command.read("expected.png"), command.read("expected.ppm")


def binary(command, *arguments, stdout, **how):
    """Runs the job with stdout in a file, and returns the contents of the file."""
    with open(command.path(stdout), "wb") as file:
        done = image(command, *arguments, stdout=file, **how)
    assert done.stderr == ""
    return command.read(stdout)


@both
def test_pipe_behind_link(expected, command):
    os.mkfifo(command.path("pipe"))
    command.path("link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with command.beside("exec cat pipe >got"):
            image(command, *SOBEL, "--output", name, "--force")
        assert command.read("got") == expected[0]
        assert command.path("pipe").is_fifo() and command.path("link").is_symlink()


@both
def test_stdout(expected, command):
    for name in ("-", "/dev/stdout"):
        assert binary(command, *SOBEL, "--output", name, stdout="got") == expected[0]
        assert binary(command, *BOX, "a.ppm", "--output", name, "--split-from", "1", stdout="got") == expected[1]
    assert not command.path("-").exists()
    done = image(command, *SOBEL, "--output", "-", prefix=jobs.closed(">&-"), status=1)
    assert len(done.messages) == 1 and "standard output" in done.stderr


def test_descriptor(expected, command):
    """The output may be an open descriptor of this process, except under a launcher."""
    image(command, *SOBEL, "--output", "/dev/fd/3", prefix=("sh", "-c", 'exec "$@" 3>got', "sh"))
    assert command.read("got") == expected[0]


@both
def test_link(expected, command):
    command.path("link.png").symlink_to("real.png")
    for options in ((), ("--force",)):
        image(command, "--op", "sobel", "a.ppm", "--output", "link.png", *options)
        assert command.path("link.png").is_symlink() and command.read("real.png") == expected[0]


@both
def test_pipe_in_folder(expected, command):
    command.path("out").mkdir()
    os.mkfifo(command.path("out/a.pgm"))
    command.fail("image", "--op", "sobel", "a.ppm", "--output", "out", "--force", names=("out/a.pgm", "regular file"))


@both
def test_private_devices(command):
    """Creates devices for the test, because a failed test could replace those of the machine."""
    for name, minor in (("null", 3), ("full", 7)):
        try:
            os.mknod(command.path(name), stat.S_IFCHR | 0o666, os.makedev(1, minor))
            command.path(name).open("wb").close()
        except OSError:
            pytest.skip("no devices can be made here")
    noise(command, "a.ppm", 20, 30)
    image(command, *SOBEL, "--output", "null", "--force")
    image(command, *SOBEL, "--output", "null")
    done = image(command, *SOBEL, "--output", "full", "--force", status=1)
    assert "cannot write full: No space left on device" in done.stderr
    assert command.path("null").is_char_device() and command.path("full").is_char_device()


@both
@pytest.mark.parametrize("split_from", ["1", "1e9"])
@pytest.mark.parametrize("form", ["pnm", "png"])
def test_full_disk(form, split_from, command, small_disk):
    """The disk has space for a small picture, but not for two large ones."""
    disk = small_disk(256 << 10)
    noise(command, "a.ppm", 400, 400)
    shutil.copy(command.path("a.ppm"), command.path("b.ppm"))
    done = image(command, *BOX, "a.ppm", "b.ppm", "--format", form, "--output", "small", "--split-from", split_from, status=1,
                 prefix=disk.prefix)
    assert len(re.findall("cannot write small/.*: No space left on device", done.stderr)) == 2
    assert disk.names() == []
    noise(command, "c.ppm", 20, 20)
    image(command, *BOX, "c.ppm", "--output", "small/c.ppm", prefix=disk.prefix)


# --- Ends ------------------------------------------------------------------------------------------------------------

def start_long(command):
    noise(command, "a.ppm", 3000, 2000)
    running = command.start("image", "--op", "gaussian", "--sigma", "60", "a.ppm", "--output", "b.ppm", "--split-from", "1e9")
    return running, int(running.wait_for_file("b.ppm.part-*").name.rpartition("-")[2])


@ranks
def test_worker_terminated(command):
    """If a worker is terminated, its picture is processed by another one, and nothing unfinished is left."""
    running, worker = start_long(command)
    os.kill(worker, signal.SIGTERM)
    result = running.finish()
    assert result.status == 0
    assert f"was lost: its process was ended by signal {signal.SIGTERM.value}" in result.stderr
    assert command.names("b.ppm*") == ["b.ppm"]


@ranks
def test_launcher_killed(command):
    """If the launcher is killed, the ranks end as well."""
    running, worker = start_long(command)

    def parent(pid):
        return int(open(f"/proc/{pid}/stat", encoding="utf-8").read().rpartition(")")[2].split()[1])

    launcher = parent(worker)
    assert open(f"/proc/{launcher}/comm", encoding="utf-8").read().strip() in ("mpirun", "orterun", "prterun")
    for pid in (launcher, running.process.pid):
        os.kill(pid, signal.SIGKILL)
    running.finish()
    running.wait_after_end(lambda: command.processes() == [], "all processes have ended")


# --- What is refused -------------------------------------------------------------------------------------------------

ERRORS = [
    ("a.ppm --output b.ppm", "--op"),
    ("--op sobel a.ppm", "--output"),
    ("--op sobel", "pictures"),
    ("--op box a.ppm --output c.ppm", "--radius"),
    ("--op box --radius 0 a.ppm --output c.ppm", "--radius"),
    ("--op sobel --radius 1 a.ppm --output c.ppm", "--radius"),
    ("--op gaussian a.ppm --output c.ppm", "--sigma"),
    ("--op gaussian --sigma wide a.ppm --output c.ppm", "'wide'"),
    ("--op gaussian --sigma nan a.ppm --output c.ppm", "0.1 to 333.3"),
    ("--op box --radius 1 --sigma 1 a.ppm --output c.ppm", "--sigma"),
    ("--op sharpen a.ppm --output c.ppm", "--op"),
    ("--op sobel a.ppm d.ppm --output out", "d.ppm"),
    ("--op sobel b.png --output c.png", "b.png"),
    ("--op sobel empty --output out", "empty"),
    ("--op sobel a.ppm b.png --output a.ppm", "is a file"),
    ("--op sobel a.ppm b.png --output -", "folder"),
    ("--op sobel a.ppm --output - --json", ("--json", "--output -")),
    ("--op sobel a.ppm --output - --verify", "--verify"),
    *((f"--op sobel a.ppm --output c.{ending}{options}", (f"c.{ending}", f".{ending.lower()} ", ".png"))
      for ending in ("webp", "tif", "GIF") for options in ("", " --format png")),
    ("--op sobel a.ppm --output c.jpg --format png", ("c.jpg", "PNG")),
    ("--op sobel a.ppm other --output out", "out/a.pgm"),
    ("--op sobel a.ppm --output c.ppm", "gray"),
    ("--op box --radius 1 a.ppm --output c.pgm", "RGB"),
    ("--op sobel a.ppm --output nowhere/c.pgm", "nowhere"),
    ("--op sobel a.ppm b.png --output nowhere/out", "nowhere"),
    ("--op sobel a.ppm --output b.png", "exists already"),
    ("--op sobel a.ppm --output c.pgm --size 5", "--size"),
]


@pytest.mark.parametrize("words, names", ERRORS, ids=[words for words, _ in ERRORS])
def test_usage_error(words, names, command):
    noise(command, "a.ppm", 5, 5)
    command.write("b.png", "text\n")
    for folder in ("empty", "other"):
        command.path(folder).mkdir()
    noise(command, "other/a.ppm", 5, 5)
    command.fail("image", *words.split(), names=names)


# --- Too many failures -----------------------------------------------------------------------------------------------

def broken_pictures(command):
    """Writes a folder of 40 files, each second of which is not a picture."""
    command.path("in").mkdir()
    for n in range(10, 50, 2):
        noise(command, f"in/{n}.ppm", 10, 10)
        command.write(f"in/{n + 1}.ppm", "Dear diary\n")


def limit_of(done):
    """Returns the failed pictures and those that did not run, as the last line says."""
    pattern = r"rankpool image: stopped early because (\d+) pictures? failed \(--max-failures \d+\); (\d+) pictures did not run(;.*)?"
    return tuple(map(int, re.fullmatch(pattern, done.messages[-1]).groups()[:2]))


def test_max_failures(command):
    """No picture is started after the second failed one; one process runs one task at a time."""
    broken_pictures(command)
    done = image(command, *BOX, "in", "--output", "out", "--max-failures", "2", "--quiet", status=1)
    assert len(done.messages) == 3 and "in/11.ppm" in done.messages[0] and "in/13.ppm" in done.messages[1]
    assert limit_of(done) == (2, 36)
    assert sorted(os.listdir(command.path("out"))) == ["10.ppm", "12.ppm"]
    expect_summary(done, 2, 40, 200)


@both
def test_max_failures_and_journal(command):
    """Every picture is finished, failed or left out. The same run with its journal processes those that are left."""
    broken_pictures(command)
    words = (*BOX, "in", "--output", "out", "--quiet", "--journal", "kept", "--max-failures")
    done = image(command, *words, "2", "--json", status=1)
    failed, left = limit_of(done)
    results = done.report["result"]
    assert failed >= 2 and results["failed"] == failed and results["pictures"] + failed + left == 40
    assert len(done.messages) == failed + 1 and "the same run with its journal" in done.messages[-1]
    for n in range(11, 50, 2):
        command.path(f"in/{n}.ppm").unlink()
        noise(command, f"in/{n}.ppm", 10, 10)
    expect_summary(image(command, *words, "1"), 40, 40, 4000)
    assert len(os.listdir(command.path("out"))) == 40


def test_more_failures_allowed(command):
    """All pictures are processed if fewer fail than --max-failures, or if the last one is the one too many."""
    broken_pictures(command)
    for most in ("21", "20"):
        done = image(command, *BOX, "in", "--output", "out", "--force", "--quiet", "--max-failures", most, status=1)
        assert len(done.messages) == 20 and "stopped early" not in done.stderr
        expect_summary(done, 20, 40, 2000)


def test_max_failures_of_split_pictures(command):
    command.path("in").mkdir()
    noise(command, "whole.ppm", 30, 40)
    for name in ("1.ppm", "2.ppm", "3.ppm"):
        command.write(f"in/{name}", command.read("whole.ppm")[:-100])
    done = image(command, *BOX, "in", "--output", "out", "--split-from", "1", "--max-failures", "2", "--quiet", status=1)
    assert len(done.messages) == 3
    assert done.messages[-1].endswith("because 2 pictures failed (--max-failures 2); 1 picture did not run")


# --- Isolation -------------------------------------------------------------------------------------------------------

@both
def test_crashing_decoder(command, pytestconfig):
    """With --isolate, pictures that crash a decoder fail alone; without it, they end the run."""
    if not (library := pytestconfig.getoption("--crashing-decoder")):
        pytest.skip("no library can be preloaded")
    planted = {"LD_PRELOAD": os.path.abspath(library)}
    command.path("in").mkdir()
    for n, (width, kind) in enumerate([(20, "png"), (13, "png"), (21, "jpg"), (13, "jpg"), (22, "png")]):
        noise(command, "seed.ppm", width, 10, n)
        image(command, "--op", "grayscale", "seed.ppm", "--output", f"in/{n}.{kind}")
    done = command.run("image", *BOX, "in", "--output", "out", "--isolate", status=1, environment=planted)
    assert sorted(os.listdir(command.path("out"))) == ["0.png", "2.jpg", "4.png"]
    assert "Pictures: 3 of 5" in done.stdout
    assert "in/1.png" in done.stderr and "signal 11" in done.stderr
    assert "in/3.jpg" in done.stderr and "signal 6" in done.stderr
    plain = command.start("image", *BOX, "in", "--output", "plain", environment=planted).finish()
    assert plain.status != 0 and "Pictures" not in plain.stdout
