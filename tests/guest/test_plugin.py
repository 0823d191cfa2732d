"""What a player meets of plugins: knobs, latency, state, stereo, and lines that say what is wrong."""

import os
import signal
import sys
import time
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from neuralamp.blocks import boxes
from neuralamp.blocks.plugin import PluginBox
from neuralamp.engine import Board, Engine, render
from neuralamp.errors import KnobError, PluginError, RigError
from neuralamp.guest import plugin
from neuralamp.guest.plugin_knobs import plugin_knob
from neuralamp.messages import Event, Recall, Turn, Undo
from neuralamp.reamp.manifest import rig_digest
from neuralamp.rig import Rig, read_rig
from neuralamp.setlist import Song
from tests.guest.test_live import PATIENT, by_the_clock, keeper_of
from tests.sound import at_rest, noise, play_in_cuts, reset

pytestmark = pytest.mark.skipif(find_spec("pedalboard") is None, reason="the extra plugins is not installed")

RATE = 48000
HELD = 3  # frames that a worker keeps back


def box(effect: str = "Gain", **values) -> PluginBox:
    return PluginBox(plugin=f"pedalboard:{effect}", **values)


def played(one: PluginBox, x: np.ndarray, events=()) -> np.ndarray:
    return render(Rig("plugin", (one,)), x, RATE, events)


# -- knobs -----------------------------------------------------------------------------------------------------------------


def test_the_plugin_s_parameters_are_knobs_with_their_bounds_and_units():
    chorus = box("Chorus")
    assert set(chorus.controls) == {"rate_hz", "depth", "centre_delay_ms", "feedback", "mix"}
    rate = chorus.controls["rate_hz"]
    assert (rate.default, rate.low, rate.high, rate.unit) == (1.0, 0.01, 20.0, "Hz")
    with pytest.raises(KnobError, match=r"mix = 2 is not possible; give a number from 0 to 1"):
        box("Chorus", mix=2)
    with pytest.raises(KnobError, match=r"plugin has no mixx; did you mean mix"):
        box("Chorus", mixx=1)


def test_a_knob_is_turned_at_its_frame():
    x = noise(1, 9000, 1, peak=0.05)
    y = played(box(gain_db=0.0), x, [Event(5000, Turn("plugin", "gain_db", 20.0))])
    assert np.allclose(y[0, : 5000 - HELD], x[0, : 5000 - HELD], rtol=1e-6)
    assert np.allclose(y[0, 5000:], 10.0 * x[0, 5000:], rtol=1e-6)


def test_knobs_are_snapped_undone_and_kept_by_a_rig_file(tmp_path):
    (tmp_path / "rig.toml").write_text(
        '[[chain]]\nbox = "plugin"\nplugin = "pedalboard:Gain"\ngain_db = -6.0\n'
        '[[snapshots]]\nname = "loud"\nplugin = { gain_db = 12.0 }\n'
    )
    rig = read_rig(tmp_path / "rig.toml")
    board = Board(Engine(rig, RATE), [Song("rig", rig)])
    for act, stands in ((Recall("loud"), 12.0), (Undo(), -6.0), (Turn("plugin", "gain_db", 3.0), 3.0), (Undo(), -6.0)):
        board.act(act)
        assert board.engine.stands["plugin"].values["gain_db"] == stands


def test_a_worker_that_takes_over_finds_the_knobs_where_they_were_turned():
    part = box(gain_db=0.0, latency_frames=PATIENT).prepare_live(RATE, 1, 256)
    part.node.goal[0] = 20.0
    x = np.full((1, 12_000), 0.05, np.float32)
    assert by_the_clock(part.node, x)[0, -1] == pytest.approx(0.5, rel=1e-5)
    keeper = keeper_of(part.node.inner[0])
    while not keeper.prepared:
        time.sleep(0.05)
    keeper.workers[0].kill()
    y = by_the_clock(part.node, np.tile(x, (1, 4)))[0]
    assert y.min() == pytest.approx(0.05, rel=1e-5) and y[-1] == pytest.approx(0.5, rel=1e-5)


def parameter(ranges: dict, raw: float, kind: type = float, label: str = "") -> SimpleNamespace:
    """What pedalboard tells of a parameter of a VST3: what it shows from where to where."""
    return SimpleNamespace(name="Mix", ranges=ranges, raw_value=raw, type=kind, label=label)


def course(show, steps: int = 1000) -> dict:
    return {(k / steps, (k + 1) / steps): show((k + 0.5) / steps) for k in range(steps)}


@pytest.mark.parametrize("show", [lambda raw: 20.0 * 1000.0**raw, lambda raw: -60.0 * raw, lambda raw: 3.0 * raw**2])
def test_a_parameter_in_its_own_unit_is_set_to_what_is_asked_for(show):
    knob = plugin_knob("mix", parameter(course(show), 0.3, label="Hz"))
    assert knob.values[0] < knob.values[-1] and knob.unit == "Hz"
    assert knob.default == pytest.approx(show(0.3), rel=0.02)
    for raw in np.linspace(0.05, 0.95, 10):
        assert knob.raw(show(raw)) == pytest.approx(raw, abs=0.01)  # straight lines between 33 points of the course


def test_a_parameter_that_shows_words_is_counted_and_one_that_goes_to_and_fro_is_raw():
    words = plugin_knob("mode", parameter({(0.0, 0.4): "Off", (0.4, 0.7): "Soft", (0.7, 1.0): "Hard"}, 0.5, str))
    assert (words.values, words.default, words.raw(2.0)) == ((0.0, 1.0, 2.0), pytest.approx(0.9, abs=0.2), 1.0)
    assert "0 Off, 1 Soft, 2 Hard" in words.meaning
    fro = plugin_knob("odd", parameter(course(lambda raw: abs(raw - 0.5)), 0.25, label="dB"))
    assert (fro.values, fro.unit, fro.default, fro.raw(0.7)) == ((0.0, 1.0), "", 0.25, 0.7)


# -- sound -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("effect", "own"), [("Gain", 0), ("BrickwallLimiter", 240)])
def test_latency_told_is_latency_measured(effect, own):
    part = box(effect).prepare(RATE, 1, 4096)
    assert part.latency_frames == own + HELD
    x = np.zeros((1, 3000), np.float32)
    x[0, 1000] = 0.25
    y = part.node.play(x, 1)[0]
    assert np.flatnonzero(np.abs(y) > 1e-4)[0] == 1000 + part.latency_frames
    late = box(effect, latency_frames=1024).prepare_live(RATE, 1, 256)
    assert late.latency_frames == 1024 + own + HELD


def test_live_and_from_a_file_are_the_same_take():
    x = noise(1, 64 * 500, 2, peak=0.3)
    echo = box("Delay", delay_seconds=0.01, latency_frames=PATIENT)
    part = echo.prepare_live(RATE, 1, 256)
    y = by_the_clock(part.node, x)
    late = part.latency_frames
    assert np.abs(y[:, late:] - played(echo, x)[:, :-late]).max() < 1e-6


def test_any_cut_is_played_frame_by_frame_too_and_in_stereo():
    x = noise(2, 300, 3, peak=0.3)
    node = box(gain_db=20.0).prepare(RATE, 2, 4096).node
    assert np.allclose(play_in_cuts(node, x, 2, [1] * 20 + [2, 3, 5, 270])[:, HELD:], 10.0 * x[:, :-HELD], rtol=1e-6)


def test_mono_sound_comes_out_on_two_channels_where_it_is_asked_for():
    part = box(stereo=True, gain_db=20.0).prepare(RATE, 1, 4096)
    x = noise(1, 500, 4, peak=0.05)
    y = part.node.play(x, part.channels)
    assert y.shape == (2, 500)
    assert np.allclose(y[:, HELD:], 10.0 * np.tile(x[:, :-HELD], (2, 1)), rtol=1e-6)


def test_reset_forgets():
    node = box("Delay", delay_seconds=0.005, feedback=0.9).prepare(RATE, 1, 4096).node
    rest, x = at_rest(node), noise(1, 2000, 5)
    first = node.play(x, 1)
    node.play(noise(1, 3000, 6), 1)
    reset(node, rest)
    assert np.array_equal(node.play(x, 1), first)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of Unix")
def test_a_plugin_that_gives_no_numbers_is_dry_and_started_again(monkeypatch):
    monkeypatch.setattr(plugin, "WORKER", "realtime.bench.faulty_worker")
    part = box(gain_db=20.0, latency_frames=PATIENT).prepare_live(RATE, 1, 256)
    x = np.full((1, 24_000), 0.05, np.float32)
    by_the_clock(part.node, x)
    os.kill(keeper_of(part.node.inner[0]).workers[0].pid, signal.SIGUSR2)
    y = by_the_clock(part.node, np.tile(x, (1, 2)))[0]
    assert np.isfinite(y).all() and y.min() == pytest.approx(0.05, rel=1e-5)
    assert "values that are no numbers" in part.trouble()


def test_a_hostile_input_does_not_let_it_fall():
    part = box(gain_db=20.0, latency_frames=PATIENT).prepare_live(RATE, 1, 256)
    x = np.full((1, 24_000), 0.05, np.float32)
    x[0, 1000:1003] = np.nan, np.inf, -np.inf
    by_the_clock(part.node, x)
    assert part.trouble() == ""


# -- rigs and mistakes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"plugin": "pedalboard:Nothing"}, "pedalboard has no effect Nothing; it has: Bitcrush, "),
        ({"plugin": "absent.vst3"}, r"absent\.vst3 is not there; give the path of a \.vst3"),
        ({"plugin": "pedalboard:Gain", "saved": "AAAA"}, "have neither part nor state; turn their knobs"),
        ({"plugin": __file__}, "cannot be played: pedalboard cannot play it"),
    ],
)
def test_what_cannot_be_played_is_told_in_one_line(values, says):
    with pytest.raises(PluginError, match=says) as refusal:
        PluginBox(**values)
    assert "\n" not in str(refusal.value)


def test_a_mistake_in_a_rig_is_told_with_its_line(tmp_path):
    (tmp_path / "rig.toml").write_text('[[chain]]\nbox = "plugin"\nplugin = "pedalboard:Gain"\ngain_db = 99.0\n')
    with pytest.raises(RigError, match=r"rig\.toml, line 4: plugin: gain_db = 99\.0 is not possible"):
        read_rig(tmp_path / "rig.toml")
    (tmp_path / "rig.toml").write_text('[[chain]]\nbox = "plugin"\nplugin = "absent.vst3"\n')
    with pytest.raises(RigError, match=r"rig\.toml, line 1: absent\.vst3 is not there"):
        read_rig(tmp_path / "rig.toml")


def test_without_pedalboard_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pedalboard", None)
    with pytest.raises(PluginError, match=r"pip install 'neuralamp\[plugins\]'"):
        box()


def test_the_player_never_loads_pedalboard():
    box()
    assert "pedalboard_native" not in sys.modules


def test_two_plugins_are_two_rigs_and_a_plugin_s_folder_is_all_its_files(tmp_path):
    assert rig_digest(Rig("a", (box("Gain"),))) != rig_digest(Rig("a", (box("Invert"),)))
    library = tmp_path / "My.vst3" / "Contents" / "x86_64-linux" / "My.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"")
    made = object.__new__(PluginBox)
    made.set = {"plugin": tmp_path / "My.vst3"}
    assert made.files() == (library,)


def test_it_is_listed_as_foreign_and_says_so():
    assert [word for word, kind in boxes().items() if kind.foreign] == ["plugin"]
    assert "is code of others and plays in a process of its own" in box().prepare(RATE, 1, 64).notes[0]
