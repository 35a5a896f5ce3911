"""--report writes a page about a run, and `rankpool report` writes one from a trace or a journal."""
import gzip
import html.parser
import os
import re
import shutil
import subprocess

import pytest

both = pytest.mark.modes("inline", "ranks")
FAILS = ("true", "exit 3", "true")
VOID = {"meta", "br", "path"}


class Page(html.parser.HTMLParser):
    """The text of a page. Its elements must be closed in order, and it must not refer to other files."""

    def __init__(self, contents):
        super().__init__()
        self.open, self.text = [], ""
        self.feed(contents)
        assert self.open == []
        assert re.findall(r"(?:src|href)=|url\(|@import|http", contents) == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data.strip() + "\n"

    def figure(self, name):
        lines = self.text.splitlines()
        return lines[lines.index(name) - 1]


def page(command, name="page.html"):
    return Page(command.read(name).decode())


@both
def test_page_of_a_run(command, pytestconfig):
    done = command.run("exec", "--report", "page.html", ":::", *FAILS, status=1)
    assert command.names() == ["page.html"]
    shown = page(command)
    assert shown.figure("finished tasks") == "3" and shown.figure("failed tasks") == "1"
    assert "rankpool exec" in shown.text and "run_command_or_throw" in shown.text and "failed with status 3" in shown.text
    assert "1 task of 3 failed." in shown.text
    assert done.stdout == ""


@both
def test_trace_is_kept_if_it_was_asked_for(command):
    command.run("squares", "--to", "1000", "--report", "page.html", "--trace", "run.json.gz")
    assert command.names() == ["page.html", "run.json.gz"]
    command.run("report", "run.json.gz", "-o", "again.html")
    assert command.read("again.html") == command.read("page.html")
    assert command.run("report", "run.json.gz").stdout == command.read("page.html").decode()


def test_page_of_a_journal(command):
    command.run("exec", "--journal", "kept", ":::", *FAILS, status=1)
    command.run("report", "kept", "-o", "page.html")
    shown = page(command)
    assert shown.figure("finished tasks") == "3" and shown.figure("failed tasks") == "1"
    command.run("exec", "--journal", "failed", ":::", "exit 3", status=1)
    command.run("report", "failed", "-o", "failed.html")
    assert "1 task of 1 failed." in page(command, "failed.html").text and " d\n" not in page(command, "failed.html").text
    assert "failed with status 3" in shown.text and "the journal kept" in shown.text


@pytest.mark.modes("ranks")
def test_page_of_a_killed_run(command):
    running = command.start("exec", "--report", "page.html", ":::", "touch a", "sleep 0.01", "touch b; sleep 100")

    def has_a_task():
        try:
            return command.path("b").exists() and b"run_command" in gzip.decompress(command.read("page.html.trace.gz"))
        except (EOFError, OSError):  # a part is being written
            return False

    running.wait_until(has_a_task, "the trace has a task")
    running.kill()
    running.finish()
    assert not command.path("page.html").exists()
    command.run("report", "page.html.trace.gz", "-o", "page.html")
    assert "The trace has no end" in page(command).text


@both
def test_page_of_a_run_that_fails_or_stops(command):
    command.run("divide", "--report", "page.html", "1/0", "--strict", status=1)
    assert page(command).figure("failed tasks") == "1"
    assert "The run failed: " in page(command).text or "The run ended with status 1." in page(command).text
    command.run("squares", "--to", "5", "--journal", "kept", "--report", "restored.html")
    command.run("squares", "--to", "5", "--journal", "kept", "--report", "restored.html", "--force")
    assert page(command, "restored.html").figure("finished tasks") == "0"


@both
def test_page_cannot_be_written(command):
    """The run fails. Its trace is kept, so that the page can be written elsewhere."""
    done = command.run("exec", "--report", "page.html", ":::", "echo mine >page.html", status=1)
    assert len(done.messages) == 1 and "page.html" in done.stderr and "exists" in done.stderr
    assert command.read("page.html") == b"mine\n"
    command.run("report", "page.html.trace.gz", "-o", "other.html")
    assert page(command, "other.html").figure("finished tasks") == "1"


def test_files_are_not_overwritten(command):
    command.write("page.html", "mine")
    command.fail("squares", "--report", "page.html", names=("--report page.html", "exists already"))
    command.fail("squares", "--report", "same", "--output", "same", names=("--report", "--output"))
    command.fail("squares", "--report", "same", "--trace", "same", names=("--report", "--trace"))
    command.fail("squares", "--report", "-", names=("--report", "requires a file"))
    assert command.read("page.html") == b"mine"
    command.write("new.html.trace.gz", "mine, too")
    command.fail("squares", "--report", "new.html", names=("new.html.trace.gz", "exists already"))
    command.fail("squares", "--report", "same", "--journal", "same.trace.gz", names="same.trace.gz")
    command.fail("squares", "--report", "same", "--status", "same.trace.gz", names="same.trace.gz")
    command.fail("squares", "--report", "same", "--output", "same.trace.gz", names="same.trace.gz")
    assert command.read("new.html.trace.gz") == b"mine, too"
    command.run("squares", "--trace", "trace")
    command.fail("report", "trace", "-o", "page.html", names=("page.html", "exists already"))
    command.fail("report", "trace", "-o", "trace", "--force", names=("trace", "same file"))
    command.run("report", "trace", "-o", "page.html", "--force")
    assert page(command).figure("finished tasks") != "0"


def test_other_files_are_refused(command):
    command.write("other", "text\n")
    command.fail("report", "other", names=("'other'", "neither a trace nor a journal"), status=1)
    command.fail("report", "missing", names=("'missing'", "No such file"), status=1)
    command.fail("report", names="file")
    command.fail("squares", "--report", "no/folder", names=("--report", "no/folder"))


# A script that lists what overlaps or sticks out. It writes its findings into the page, which Chromium then prints.
MEASURE = """<script>
const found = [];
const limit = document.documentElement.getBoundingClientRect().right + 1;
const boxes = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  if (!node.textContent.trim() || node.parentElement.closest("script, style, details:not([open])")) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const r of range.getClientRects()) if (r.width > 1) boxes.push([r, node.textContent.trim(), node.parentElement]);
}
for (const [r, text, element] of boxes) {
  if ((r.right > limit || r.left < 0) && !element.closest(".wide")) found.push("sticks out: " + text);
}
for (let i = 0; i < boxes.length; ++i) for (let j = i + 1; j < boxes.length; ++j) {
  const [a, s] = boxes[i], [b, t] = boxes[j];
  const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (w > 2 && h > 0.4 * Math.min(a.height, b.height)) found.push("overlap: " + s + " | " + t);
}
if (document.body.scrollWidth > limit) found.push("the page is wider than the window");
document.body.setAttribute("data-texts", boxes.length);
document.body.setAttribute("data-found", JSON.stringify(found));
</script>"""


@pytest.mark.modes("ranks")
@pytest.mark.parametrize("width", [500, 1600])
def test_texts_do_not_overlap_in_a_browser(command, width):
    """Headless Chromium's window is at least 500 pixels wide; a frame of 400 pixels is tested within it."""
    def show(file):
        return subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
             f"--user-data-dir={command.path('profile')}", f"--window-size={width},1000", "--dump-dom", file],
            capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "HOME": str(command.path("."))})

    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    if "<html>" not in show("about:blank").stdout:
        pytest.skip("chromium does not run here")
    command.run("exec", "--report", "page.html", "-j", "4", ":::", *FAILS, *(f"sleep 0.0{i}" for i in range(9)), status=1)
    contents = command.read("page.html").decode()
    if width == 500:
        contents = contents.replace("</style>", "html { width: 400px; }</style>")
    command.write("measured.html", contents.replace("</body>", MEASURE + "</body>"))
    done = show(command.path("measured.html"))
    assert "CONSOLE" not in done.stderr
    found = re.search(r'data-texts="(\d+)" data-found="([^"]*)"', done.stdout)
    assert found is not None, done.stderr
    assert int(found[1]) > 100 and found[2] == "[]"
