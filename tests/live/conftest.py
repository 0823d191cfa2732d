"""A device for every test here: JACK's dummy, where JACK and PortAudio are installed."""

import pytest

from realtime.bench.dummy import jack_server, what_is_missing


@pytest.fixture(scope="module")
def jack() -> dict[str, str]:
    """The environment of a process that is to find a JACK server of its own."""
    if missing := what_is_missing():
        pytest.skip(missing)
    with jack_server() as environment:
        yield environment


@pytest.fixture
def rig_file(tmp_path):
    """A rig that plays level, amp and cab."""
    from realtime.bench.live_equals_offline import make_rig

    return make_rig(tmp_path)
