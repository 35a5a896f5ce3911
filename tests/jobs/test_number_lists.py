"""Lists of numbers in files: a byte order mark and Windows line ends do not change the numbers; other files are refused."""
import pytest

pytestmark = pytest.mark.modes("inline", "ranks")


def test_byte_order_mark(command):
    command.write("list", b"\xef\xbb\xbf7\r\n8\r\n")
    assert command.run("is-prime", "--file", "list").lines == ["7 prime", "8 composite"]
    command.write("list", b"\xef\xbb\xbf8/2\r\n")
    with open(command.path("list"), "rb") as stdin:
        assert command.run("divide", "-", stdin=stdin).lines == ["Result: 4.0"]


def test_utf_16(command):
    command.write("list", b"\xff\xfe7\0\n\0")
    command.fail("is-prime", "--file", "list", names=("list", "UTF-16"))
    with open(command.path("list"), "rb") as stdin:
        command.fail("divide", "-", names=("standard input", "UTF-16"), stdin=stdin)


BAD = [b"7\0", b"7\0\n", b"7\r8\n", b"7\n\xef\xbb\xbf8\n", b"\xe2\x88\x927\n", b"7 8\n", b"0x7\n"]


@pytest.mark.parametrize("text", BAD, ids=repr)
def test_no_number(text, command):
    """Lines before an invalid number may already be printed."""
    command.write("list", text)
    done = command.run("is-prime", "--file", "list", status=2)
    assert len(done.messages) == 1 and "list: line " in done.stderr and "whole number" in done.stderr
    assert done.stdout in ("", "7 prime\n")


def test_empty_list(command):
    """An empty list has an empty result, which is a file like any other."""
    command.write("list", b"")
    command.run("is-prime", "--file", "list", "--output", "out")
    assert command.read("out") == b""
    command.write("out", "old")
    command.run("is-prime", "--file", "list", "--output", "out", "--force")
    assert command.read("out") == b""
