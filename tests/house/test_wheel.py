"""The wheel: built, unpacked elsewhere, played without torch, with everything that is shipped inside."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder that holds the package as a wheel brings it, and where torch cannot be imported."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(REPOSITORY)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    return folder


def run(installed: Path, *arguments: str, cwd: Path) -> dict:
    """The command line of the unpacked wheel, in JSON."""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "neuralamp", *arguments, "--json"]
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_wheel_carries_what_commands_need(installed):
    shipped = {path.relative_to(installed / "neuralamp" / "shipped").as_posix() for path in installed.rglob("shipped/**/*.*")}
    assert {"amp_models/crunch/capture.onnx", "amp_models/rigs/crunch.toml", "training/recipes/wavenet-nano.toml"} <= shipped
    assert {"realtime/devices/default.toml", "realtime/midi/expression.toml"} <= shipped


def test_a_shipped_recipe_is_found_without_torch(installed, tmp_path):
    assert run(installed, "info", "wavenet-nano", cwd=tmp_path)["kind"] == "recipe"


def test_a_take_is_reamped_through_a_shipped_rig_without_torch(installed, tmp_path):
    soundfile.write(tmp_path / "take.wav", np.random.default_rng(1).uniform(-0.3, 0.3, 24000), 48000, subtype="PCM_24")
    rig = installed / "neuralamp" / "shipped" / "amp_models" / "rigs" / "crunch.toml"
    made = run(installed, "reamp", "take.wav", "--rig", str(rig), "-o", "out", cwd=tmp_path)
    assert [file["status"] for file in made["files"]] == ["done"]
    y, rate = soundfile.read(tmp_path / made["files"][0]["output"])
    assert (rate, len(y)) == (48000, 24000)
    assert np.sqrt(np.mean(np.square(y))) > 0.01
