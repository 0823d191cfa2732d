"""The rig file: what is right becomes boxes, what is wrong is pointed at."""

import time

import pytest

from neuralamp.errors import RigError
from neuralamp.rig import Lanes, capture_rig, read_rig

GOOD = """
name = "two lanes"

[[chain]]
box = "level"
level = -3

[[chain]]
[[chain.lanes]]
[[chain.lanes.chain]]
box = "level"
[[chain.lanes.chain]]
box = "eq"
bass = 3.0

[[chain.lanes]]
[[chain.lanes.chain]]
box = "level"
level = -6.0
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        path = tmp_path / "rig.toml"
        path.write_text(text)
        return path

    return write


def test_boxes_stand_in_order_with_their_knobs(write):
    rig = read_rig(write(GOOD))
    assert rig.name == "two lanes"
    assert list(rig.boxes()) == ["level", "level-2", "eq", "mixer", "level-3", "mixer-2"]
    assert rig.boxes()["level"].values == {"level": -3.0}
    assert rig.boxes()["eq"].values["bass"] == 3.0
    assert isinstance(rig.chain[1], Lanes)


def test_a_rig_without_a_name_is_called_as_its_file(write):
    assert read_rig(write('[[chain]]\nbox = "level"\n')).name == "rig"


def test_a_file_beside_the_rig_is_found(write, tmp_path):
    (tmp_path / "cab.wav").write_bytes(b"")
    rig = read_rig(write('[[chain]]\nbox = "cab"\nir = "cab.wav"\n'))
    assert rig.boxes()["cab"].set["ir"] == tmp_path / "cab.wav"


def test_a_capture_alone_is_a_rig():
    assert capture_rig("captures/plexi.onnx").name == "plexi"


@pytest.mark.parametrize(
    "text, says",
    [
        ("[[chain]\n", "is not TOML: .*line 1"),
        ("", "there is no chain; begin each box with a line"),
        ("chain = 3\n", "there is no chain"),
        ("chain = [1]\n", "there is no chain"),
        ('volume = 3\n[[chain]]\nbox = "level"\n', "line 1: volume is unknown here; known are: name, chain"),
        ('name = 7\n[[chain]]\nbox = "level"\n', "line 1: name = 7 should be a text"),
        ('[[chain]]\nbox = "levle"\n', "line 2: box = 'levle' is no box; .* did you mean level?"),
        ("[[chain]]\nlevel = 3.0\n", "line 1: box = None is no box"),
        ('[[chain]]\nbox = "level"\n\nlvel = 3.0\n', "line 4: level: level has no lvel; did you mean level?"),
        ('[[chain]]\nbox = "level"\nlevel = 99\n', "line 3: level: level = 99 is not possible; .* from -60 to 24 dB"),
        ('[[chain]]\nbox = "level"\nlevel = "3"\n', "line 3: level: level = '3' is not possible"),
        ('[[chain]]\nbox = "level"\nlevel = nan\n', "line 3: level: level = nan is not possible"),
        ('[[chain]]\nbox = "level"\nlevel = true\n', "line 3: level: level = True is not possible"),
        ('[[chain]]\nbox = "amp"\n', "line 1: amp needs capture"),
        ('[[chain]]\nbox = "cab"\nir = 3\n', "line 3: cab: ir = 3 is not possible; give the path"),
        ('[[chain]]\nbox = "cab"\nir = "a"\ntrim = 1\n', "line 4: cab: trim = 1 is not possible; give true or false"),
        ("[[chain]]\nlanes = 3\n", "line 1: lanes are given as"),
        ("[[chain]]\nlanes = []\n", "line 1: lanes are given as"),
        ('[[chain]]\n[[chain.lanes]]\nbox = "level"\n', "line 3: box is unknown here; known are: chain"),
        ('[[chain]]\nbox = "cab"\nir = "a\\u0000b"\n', "line 3: cab: ir = .* is not possible; give the path"),
        (f'[[chain]]\nbox = "cab"\nir = "{"x" * 256}"\n', "line 3: cab: ir = .* is not possible; give the path"),
        ('[[chain]]\nbox = "level"\n' * 65, "rig.toml has 65 boxes; 64 is the most"),
        (GOOD.replace("level = -6.0", "level = 60"), "line 19: level: level = 60 is not possible"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_its_place(text, says, write):
    with pytest.raises(RigError, match=says) as refusal:
        read_rig(write(text))
    assert "\n" not in str(refusal.value)
    assert "rig.toml" in str(refusal.value)


def test_a_text_that_looks_like_a_header_costs_no_time(write):
    blanks = " " * 900
    text = 'name = """\n' + f"[[{blanks}\n" * 30 + '"""\n[[chain]]\nbox = "level"\n'  # a hostile file: minutes, once
    begun = time.process_time()
    assert list(read_rig(write(text)).boxes()) == ["level"]
    assert time.process_time() - begun < 1.0


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_bytes(b"\xff\xfe\x00")
    for wrong in (path, tmp_path / "absent.toml", tmp_path):
        with pytest.raises(RigError, match=wrong.name):
            read_rig(wrong)
