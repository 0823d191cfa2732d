"""A rig written as a file is the rig that was played."""

import numpy as np
import pytest

from neuralamp.engine import Board, Engine, render
from neuralamp.errors import MessageError, RigError
from neuralamp.messages import Bypass, Save, Turn
from neuralamp.rig import find_rig, read_rig, rigs
from neuralamp.rig_file import as_it_stands, rig_text, write_rig
from neuralamp.setlist import one_song
from tests.blocks.samples import impulse_response, small_capture
from tests.sound import noise

RATE = 48000

RIG = """
name = "two \\"lanes\\""

[[chain]]
box = "gate"
threshold = -70.0
bypass = true

[[chain]]
[[chain.lanes]]
level = -3.0
pan = -50.0
[[chain.lanes.chain]]
box = "amp"
capture = "captures/amp.onnx"
loudness_db = -20.0
[[chain.lanes.chain]]
[[chain.lanes.chain.lanes]]
[[chain.lanes.chain.lanes.chain]]
box = "cab"
ir = "ir.wav"
align = false
[[chain.lanes.chain.lanes]]
level = -12.0
[[chain.lanes]]
bypass = true

[[chain]]
box = "delay"
note = "1/8."
tempo = 131.0

[[snapshots]]
name = "solo"
amp = { input = 6.0 }
gate = { bypass = false }
mixer-2 = { level = -1.5 }
"""


@pytest.fixture
def rig(tmp_path):
    (tmp_path / "captures").mkdir()
    small_capture(tmp_path / "captures" / "amp.onnx")
    impulse_response(tmp_path / "ir.wav")
    (tmp_path / "rig.toml").write_text(RIG)
    return read_rig(tmp_path / "rig.toml")


def same(one, other) -> bool:
    boxes, others = one.boxes(), other.boxes()
    stands = [
        (label, box.values, {name: str(value) for name, value in box.set.items()}, box.bypassed) for label, box in boxes.items()
    ]
    return one.snapshots == other.snapshots and stands == [
        (label, box.values, {name: str(value) for name, value in box.set.items()}, box.bypassed) for label, box in others.items()
    ]


def test_what_was_read_is_written_and_read_again(rig, tmp_path):
    write_rig(rig, tmp_path / "again.toml")
    again = read_rig(tmp_path / "again.toml")
    assert again.name == rig.name and same(again, rig)
    x = noise(1, 6000, seed=1, peak=0.3)
    assert np.array_equal(render(again, x, RATE), render(rig, x, RATE))


def test_files_are_named_from_where_the_rig_lies(rig, tmp_path):
    assert 'capture = "captures/amp.onnx"' in rig_text(rig, tmp_path)
    (tmp_path / "rigs").mkdir()
    write_rig(rig, tmp_path / "rigs" / "elsewhere.toml")
    assert same(read_rig(tmp_path / "rigs" / "elsewhere.toml"), rig)


@pytest.mark.parametrize("name", rigs())
def test_shipped_rigs_are_written_as_they_are(name, tmp_path):
    rig = read_rig(find_rig(name))
    write_rig(rig, tmp_path / "copy.toml")
    assert same(read_rig(tmp_path / "copy.toml"), rig)


def test_a_rig_as_it_stands_has_its_knobs_where_they_were_turned_to(rig):
    turned = as_it_stands(rig, {"delay": rig.boxes()["delay"].values | {"mix": 44.0}}, {"gate": False})
    assert turned.boxes()["delay"].values["mix"] == 44.0 and not turned.boxes()["gate"].bypassed
    assert rig.boxes()["delay"].values["mix"] != 44.0 and rig.boxes()["gate"].bypassed  # the rig itself is left alone


def test_what_was_turned_while_playing_is_saved(rig, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    board = Board(Engine(rig, RATE, live=True), one_song(rig))
    for message in (Turn("delay", "mix", 33.0), Bypass("gate"), Save("my lead")):
        board.act(message)
    saved = read_rig(tmp_path / "my lead.toml")
    assert saved.boxes()["delay"].values["mix"] == 33.0 and not saved.boxes()["gate"].bypassed
    with pytest.raises(RigError, match=r"my lead\.toml is there already; choose another name"):
        board.act(Save("my lead"))
    with pytest.raises(MessageError, match="is no name for a rig"):
        board.act(Save("../../somewhere"))
