"""How often the audio callback is entered while another Python thread computes: the compiled one, and an ordinary Python one.

    python -m realtime.bench.gil [--seconds 10] [--json]

On the dummy device, at 64 frames. Buffers are counted by the clock on the wall, as an interface would send them: the dummy waits
for a client that is late, and its own clock with it. Exit status 1 if the compiled callback was entered for 99 % of the buffers
or less.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from realtime.bench.dummy import PERIOD, RATE, jack_server, what_is_missing
from realtime.bench.live_equals_offline import make_rig, player

ENOUGH = 0.99


def entered(python: bool, busy: bool, seconds: float) -> float:
    """The share of the buffers that went by for which the callback was entered."""
    with tempfile.TemporaryDirectory() as folder, jack_server() as environment:
        arguments = [str(make_rig(Path(folder)))] + ["--python"] * python + ["--busy"] * busy
        with player(environment, *arguments) as host:
            counts = []
            for pause in (0.0, seconds):
                time.sleep(pause)
                host.stdin.write("\n")
                host.stdin.flush()
                counts.append(json.loads(host.stdout.readline()))
    first, last = counts
    buffers = (last["wall_s"] - first["wall_s"]) * RATE / PERIOD
    return (last["callbacks"] - first["callbacks"]) / buffers


def main() -> None:
    parser = argparse.ArgumentParser(description="The share of buffers for which the callback is entered, with the GIL held.")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args()
    if missing := what_is_missing():
        raise SystemExit(missing)
    shares = {
        f"{'python' if python else 'compiled'}{'_busy' if busy else ''}": entered(python, busy, asked.seconds)
        for busy in (False, True)
        for python in (False, True)
    }
    if asked.json:
        print(json.dumps(shares))
    else:
        for name, share in shares.items():
            print(f"{name.replace('_busy', ', another Python thread computing'):45} {100 * share:6.2f} % of the buffers")
    sys.exit(0 if shares["compiled_busy"] > ENOUGH else 1)


if __name__ == "__main__":
    main()
