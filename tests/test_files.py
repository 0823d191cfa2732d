"""Small files from strangers: what is no file, too large, too deep or too slow is refused in one line, and at once."""

import os
import time
from pathlib import Path

import pytest

from neuralamp.errors import LONGEST_LINE, NeuralAmpError, RigError
from neuralamp.files import MOST_TOML_BYTES, read_small_file, read_toml


def read(path: Path, text: str) -> dict:
    path.write_text(text)
    return read_toml(path, RigError, example="a = 1")[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.toml"


def test_a_table_is_read(path):
    assert read(path, "\ufeffa = 1\n[b]\nc = [2.5]\n") == {
        "a": 1,
        "b": {"c": [2.5]},
    }  # an editor's mark in front of it is no fault


DOTTED = ".".join("a" * 490)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = \n", "is not TOML: .*line 1"),
        ("a = 1\na = 2\n", "is not TOML: .*line 2"),
        (f"a = {'9' * 900}", "the number a has more than 64 bits"),
        (f"a = [{{b = 0x{'f' * 900}}}]", "the number b has more than 64 bits"),
        ("a = " + "[" * 400 + "]" * 400, "too deep in each other|64 deep"),
        (f"{DOTTED} = 1", "in a lie more than 64 deep"),
        (f"a = '{'x' * 1000}'", "line 1 has 1006 letters; 1000 is the most"),
        ("a = 1\n" * 6000, f"has more than {MOST_TOML_BYTES} bytes"),
        ("a = 2024-02-31", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(path, text, says):
    with pytest.raises(RigError, match=says) as refusal:
        read(path, text)
    assert "file.toml" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_what_is_no_text_is_refused(path):
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RigError, match=r"file\.toml is not a text file; it should be TOML, such as: a = 1"):
        read_toml(path, RigError, example="a = 1")


def test_the_slowest_text_that_is_let_in_takes_less_than_five_seconds(path):
    text = f"[{DOTTED}]\n" + "".join(f"{DOTTED}.b{i} = 1\n" for i in range(30))  # tomllib's time is quadratic in the dots
    assert len(text) < MOST_TOML_BYTES
    begun = time.process_time()
    with pytest.raises(RigError, match="64 deep"):
        read(path, text)
    assert time.process_time() - begun < 5.0  # measured: 1.1 s


def test_a_pipe_a_device_and_a_folder_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(RigError, match=f"{path.name} is not a file"):
            read_small_file(path, 100, RigError)


def test_a_huge_file_is_refused_before_it_is_read(path):
    with path.open("wb") as file:
        file.truncate(4 * 2**30)  # sparse: it takes no room on the disk
    with pytest.raises(RigError, match="has more than 100 bytes"):
        read_small_file(path, 100, RigError)


def test_an_error_is_one_printable_line_whatever_a_file_says():
    text = str(NeuralAmpError("a\nerror: b\x1b[31m\u2028\udcff\u202e Müller"))
    assert text == r"a\nerror: b\x1b[31m\u2028\udcff\u202e Müller"
    long = str(NeuralAmpError("begin " + "x" * 10**6 + " end"))
    assert long.startswith("begin x")
    assert long.endswith("x end")
    assert len(long) < LONGEST_LINE + 10
