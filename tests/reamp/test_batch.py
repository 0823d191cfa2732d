"""What the outputs are called, what counts as an input, and what one bad file does to the rest: nothing."""

from pathlib import Path

import pytest

from neuralamp.audio import read_audio
from neuralamp.errors import ReampError
from neuralamp.reamp import Progress, reamp
from neuralamp.reamp.manifest import NAME
from tests.reamp.studio import take, wire
from tests.sound import error_db


def test_the_shelf_is_played_by_its_names(tmp_path: Path):
    path = take(tmp_path / "take.wav", subtype="FLOAT", peak=0.1)
    report = reamp([path], tmp_path / "out", captures=["crunch"])
    report = reamp([path], tmp_path / "rigs", rigs=["crunch"])
    assert Path(report.files[0].output).name == "take - crunch.wav"
    through_amp, through_rig = (read_audio(tmp_path / folder / "take - crunch.wav").samples for folder in ("out", "rigs"))
    assert error_db(through_rig, through_amp) > -20.0  # a cab more


# -- names ---------------------------------------------------------------------------------------------------------------


def test_folders_and_globs_are_searched_and_folders_kept(tmp_path: Path):
    for name in ("in/b.wav", "in/a/verse.flac", "in/b/verse.flac", "in/.hidden.wav", "more/x1.wav", "more/x2.wav"):
        take(tmp_path / name)
    (tmp_path / "in/notes.txt").write_text("not a sound")
    inputs = [tmp_path / "in", tmp_path / "more" / "x*.wav", tmp_path / "in" / "b.wav"]
    report = reamp(inputs, tmp_path / "out", captures=[wire(tmp_path / "amp.onnx")])
    assert [Path(file.output).relative_to(tmp_path / "out").as_posix() for file in report.files] == [
        "a/verse - amp.flac", "b/verse - amp.flac", "b - amp.wav", "x1 - amp.wav", "x2 - amp.wav",
    ]  # fmt: skip
    assert report.count("done") == 5


def test_an_output_folder_inside_the_input_folder_is_no_input(tmp_path: Path):
    take(tmp_path / "take.wav")
    amp = wire(tmp_path / "amp.onnx")
    assert len(reamp([tmp_path], tmp_path / "out", captures=[amp]).files) == 1
    assert len(reamp([tmp_path], tmp_path / "out", captures=[amp], resume=True).files) == 1
    with pytest.raises(ReampError, match="both an input and the output folder"):
        reamp([tmp_path], tmp_path, captures=[amp])


def test_outputs_of_one_name_are_refused_before_anything_is_rendered(tmp_path: Path):
    amp = wire(tmp_path / "amp.onnx")
    inputs = [take(tmp_path / "monday" / "take.wav"), take(tmp_path / "tuesday" / "Take.wav")]
    with pytest.raises(ReampError, match="would both become"):
        reamp(inputs, tmp_path / "out", captures=[amp])
    (tmp_path / "other").mkdir()
    with pytest.raises(ReampError, match="are both called AMP"):
        reamp(inputs[:1], tmp_path / "out", captures=[amp, wire(tmp_path / "other" / "AMP.onnx")])
    assert not (tmp_path / "out").exists()


def test_an_input_is_never_overwritten(tmp_path: Path):
    amp = wire(tmp_path / "amp.onnx")
    inputs = [take(tmp_path / "take.wav"), take(tmp_path / "take - amp.wav", seed=2)]
    before = inputs[1].read_bytes()
    with pytest.raises(ReampError, match="is an input, and would be overwritten"):
        reamp(inputs, tmp_path, captures=[amp], overwrite=True)
    assert inputs[1].read_bytes() == before


def test_nothing_to_play_or_to_play_through_is_said(tmp_path: Path):
    amp = wire(tmp_path / "amp.onnx")
    (tmp_path / "empty").mkdir()
    for inputs in ([tmp_path / "empty"], [tmp_path / "*.flac"]):
        with pytest.raises(ReampError, match="holds no sound files"):
            reamp(inputs, tmp_path / "out", captures=[amp])
    with pytest.raises(ReampError, match="give --capture FILE"):
        reamp([take(tmp_path / "take.wav")], tmp_path / "out")
    with pytest.raises(ReampError, match="is a file; choose a folder"):
        reamp([tmp_path / "take.wav"], amp, captures=[amp])


# -- one bad file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [1, 2])
def test_one_bad_file_never_stops_the_rest(tmp_path: Path, processes: int):
    good = [take(tmp_path / f"take{i}.wav", seed=i) for i in range(3)]
    (tmp_path / "text.wav").write_text("this is no sound")
    (tmp_path / "nothing.wav").write_bytes(b"")
    (tmp_path / "cut.flac").write_bytes(take(tmp_path / "whole.flac").read_bytes()[:40])
    bad = [tmp_path / "text.wav", tmp_path / "nothing.wav", tmp_path / "cut.flac", tmp_path / "absent.wav"]
    captures = [wire(tmp_path / "a.onnx"), wire(tmp_path / "b.onnx", gain=0.5)]
    heard: list[Progress] = []
    report = reamp([good[0], *bad, *good[1:]], tmp_path / "out", captures=captures, processes=processes, report=heard.append)
    assert (report.count("done"), report.count("failed")) == (6, 8)
    for file in report.files:
        assert (file.status == "failed") == (Path(file.input) in bad)
        if file.status == "failed":
            assert Path(file.input).name in file.error
            assert "\n" not in file.error
        else:
            assert file.seconds == pytest.approx(0.2)
            assert file.rtf > 0.0
    expected = {f"take{i} - {name}.wav" for i in range(3) for name in "ab"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*expected, NAME}
    assert heard[-1].files_over == heard[-1].files == 14
    assert heard[-1].seconds_over == pytest.approx(heard[-1].seconds)


def test_a_folder_that_cannot_be_written_is_said_for_every_file(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    report = reamp([take(tmp_path / "take.wav")], tmp_path / "file" / "out", captures=[wire(tmp_path / "amp.onnx")])
    assert "cannot be written (Not a directory); choose another folder" in report.files[0].error
