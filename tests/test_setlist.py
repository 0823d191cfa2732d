"""A set list: rigs in the order of an evening."""

import pytest

from neuralamp.errors import RigError
from neuralamp.setlist import read_setlist

RIG = """
name = "clean"
[[chain]]
box = "level"
[[snapshots]]
name = "loud"
level = { level = 6.0 }
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "clean.toml").write_text(RIG)
    return tmp_path


def read(folder, text: str):
    (folder / "friday.toml").write_text(text)
    return read_setlist(folder / "friday.toml")


def test_songs_stand_in_order_with_their_rigs_and_snapshots(folder):
    text = '[[songs]]\nrig = "clean.toml"\n[[songs]]\nname = "solo"\nrig = "clean.toml"\nsnapshot = "loud"\n'
    first, second = read(folder, text)
    assert (first.name, first.snapshot) == ("clean", None)
    assert (second.name, second.snapshot, second.rig.name) == ("solo", "loud", "clean")


def test_a_shipped_rig_is_found_by_its_name(folder):
    assert read(folder, '[[songs]]\nrig = "crunch"\n')[0].rig.name == "crunch"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no songs; begin each with a line [[songs]]"),
        ("songs = 3", "has no songs"),
        ('[[song]]\nrig = "clean.toml"', "song is unknown here; known are: name, songs"),
        ("[[songs]]\nrig = 3", "song 1: rig = 3 should be a text"),
        ('[[songs]]\nname = "a"', "song 1 lacks its rig"),
        ('[[songs]]\nrig = "clean.toml"\nkey = "E"', "song 1: key is unknown here"),
        ('[[songs]]\nrig = "nowhere.toml"', "nowhere.toml is neither a file nor a shipped rig"),
        ('[[songs]]\nrig = "clean.toml"\nsnapshot = "lead"', "clean has no snapshot 'lead'; it has: loud"),
        ('[[songs]]\nrig = "clean.toml"\n[[songs]]\nrig = "clean.toml"', "song 2 is called 'clean', as another is"),
    ],
)
def test_what_is_wrong_is_told_with_its_song(text, says, folder):
    with pytest.raises(RigError) as error:
        read(folder, text)
    assert says in str(error.value)
