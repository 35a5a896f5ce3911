import pathlib
import subprocess

from row import Row

PICTURES = 200  # half JPEG, half PNG; 1024 x 768, in colour


def make(folder: pathlib.Path):
    """Creates different pictures that cost as much as photographs: smooth areas, edges and some noise."""
    plain = folder / "plain.ppm"
    pictures = folder / "in"
    pictures.mkdir()
    width, height = 1024, 768
    state = 1
    noise = bytearray()
    for _ in range(1 << 16):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        noise.append((state >> 16) % 13)
    for n in range(PICTURES):
        rows = []
        for y in range(height):
            row = bytearray(3 * width)
            shade = bytes((x * (n % 5 + 1) // 8 + y // 4 & 63) + (96 if (x // 64 + y // 48 + n) % 3 else 0) + 40 for x in range(0, width, 16))
            at = (y * 7919 + n * 104729) % ((1 << 16) - width - 3)
            base = bytes(v for s in shade for v in [s] * 16)
            for c in range(3):
                row[c::3] = bytes(a + b for a, b in zip(base, noise[at + c:at + c + width]))
            rows.append(bytes(row))
            if y >= 95 and y % 96 == 95:  # repeats the first 96 rows, shifted, which is faster
                rows += [r[-96 * k:] + r[:-96 * k] for k in range(1, 8) for r in rows[:96]]
                break
        plain.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + b"".join(rows))
        name = pictures / f"{n:03d}{'.png' if n % 2 else '.jpg'}"
        subprocess.run(["convert", str(plain), "-quality", "75" if n % 2 else "92", str(name)], check=True)
    plain.unlink()


def check(folder: pathlib.Path):
    """Compares ten PNG files, which are lossless, with ImageMagick: no sample may differ by more than one level."""
    worst = 0
    for n in range(1, 20, 2):
        name = f"{n:03d}.png"
        source = folder / "in" / name
        reference = subprocess.run(["convert", str(source), "-blur", "6x2", "-depth", "8", "rgb:-"], check=True, capture_output=True).stdout
        own = subprocess.run(["convert", str(folder / "own" / name), "-depth", "8", "rgb:-"], check=True, capture_output=True).stdout
        worst = max(worst, max(abs(a - b) for a, b in zip(own, reference, strict=True)))
    if worst > 1 or len(list((folder / "own").iterdir())) != PICTURES:
        raise RuntimeError(f"differs from ImageMagick by up to {worst} levels")
    return f"{PICTURES} written; 10 PNG within {worst} level of ImageMagick's"


OWN = ["image", "--op", "gaussian", "--sigma", "2", "in", "--output", "own"]
ROWS = [
    Row(job="image", size="200 pictures of 1024 x 768, blurred", own=OWN, peer_name="mogrify, 2 threads",
        peer=["sh", "-c", "mkdir -p peer && mogrify -limit thread 2 -path peer -blur 6x2 in/*"], max_ratio=1, prepare=make, check=check,
        packages=("imagemagick",), fresh=("own", "peer"),
        note="sigma 2, 6 pixels to each side; 100 JPEG, 100 PNG; each tool at its default compression: mogrify's files are 12 % smaller together"),
    Row(job="image", size="the same, PNG at zlib's level 7 as the peer's", own=[*OWN, "--compression", "7"], peer_name="two mogrify of 1 thread",
        peer=["sh", "-c", "mkdir -p peer && ls -d in/* | MAGICK_THREAD_LIMIT=1 xargs -P 2 -n 10 mogrify -path peer -blur 6x2"],
        max_ratio=1, prepare=make, check=check, packages=("imagemagick",), fresh=("own", "peer"), note="two processes of the peer; its files are 3 % smaller together"),
]
