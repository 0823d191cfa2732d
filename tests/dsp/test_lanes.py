"""The vectors of other processors: what they play, and that they are vectors there too."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from neuralamp.app.bench import random_weights
from neuralamp.dsp.jit import LANES, X86
from neuralamp.nets import architecture_of
from neuralamp.nets.in_the_wild import IN_THE_WILD
from tests.sound import error_db, noise

NETS = ("A1 nano", "LSTM 1x16")
EIGHT = "+64bit,+cx8,+cx16,+mmx,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+lzcnt,+movbe"
FOUR = "+64bit,+cx8,+mmx,+sse,+sse2"

PLAY = """
import sys
import numpy as np
from neuralamp.dsp.jit import LANES
from tests.dsp.test_lanes import NETS, played
np.savez(sys.argv[1], lanes=LANES, **{name: played(name) for name in NETS})
"""

ASSEMBLE = """
import json, re
import llvmlite.binding as llvm
import numba
from numba import types
from neuralamp.dsp.jit import LANES
from neuralamp.dsp.nonlinear import activate
from neuralamp.dsp.rings import RING, convolve
from neuralamp.dsp.rows import matrix

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()
machine = llvm.Target.from_triple("aarch64-linux-gnu").create_target_machine(cpu="neoverse-n1", opt=3)
place = types.int64
signatures = {
    convolve: (place, place, numba.from_dtype(RING), *[place] * 6),
    matrix: (place,) * 11,
    activate: (place,) * 5,
}
found = {}
for kernel, signature in signatures.items():
    kernel.compile(signature)
    (code,) = kernel.inspect_llvm().values()
    code = re.sub('target triple = ".*"', 'target triple = "aarch64-linux-gnu"', code)
    code = re.sub('target datalayout = ".*"', f'target datalayout = "{machine.target_data}"', code)
    assembly = machine.emit_assembly(llvm.parse_assembly(code))
    found[kernel.__name__] = {
        "vectors": len(re.findall(r"\\bfml[as]\\s+v\\d+\\.4s", assembly)),
        "calls": sorted(set(re.findall(r"\\bbl\\s+(\\w*(?:fma|floor|rint)\\w*)", assembly))),
    }
print(json.dumps({"lanes": LANES, "found": found}))
"""


def played(name: str) -> np.ndarray:
    """A net in buffers that end within a vector."""
    config = IN_THE_WILD[name]
    net, x = architecture_of(config).stream(config, random_weights(config)), noise(1, 1000, seed=4, peak=0.5)
    return np.concatenate([net.play(x[:, at : at + 61], 1)[0] for at in range(0, 1000, 61)])


def on(cpu: str, features: str, program: str, *arguments: str, **more: str) -> str:
    """What a program prints for whom numba compiles as for another processor."""
    environment = os.environ | {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features} | more
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(LANES < 8, reason="this processor has vectors of four numbers only")
def test_vectors_of_eight_play_the_same_sound(tmp_path):
    on("haswell", EIGHT, PLAY, str(tmp_path / "eight.npz"))
    eight = np.load(tmp_path / "eight.npz")
    assert eight["lanes"] == 8
    for name in NETS:
        if name.startswith("A"):
            assert np.array_equal(eight[name], played(name))
        else:  # fewer chains of sums, so other roundings: 116 dB and more were measured
            assert error_db(eight[name], played(name)) < -105.0


@pytest.mark.skipif(not X86, reason="elsewhere the kernels are compiled for this processor anyway")
def test_vectors_of_four_are_vectors_on_arm(tmp_path):
    told = json.loads(on("x86-64", FOUR, ASSEMBLE, NEURALAMP_CACHE=str(tmp_path)))  # compiled anew: what is kept has no source
    assert told["lanes"] == 4
    for found in told["found"].values():
        assert found["vectors"] > 50  # fused multiply-adds of four numbers each
        assert found["calls"] == []  # of a library, number by number
