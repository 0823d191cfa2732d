"""What every test may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings: NEURALAMP_DATA, or ../shared/data beside the checkout."""
    beside = Path(__file__).parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("NEURALAMP_DATA", beside))
    if not (folder / "di").is_dir():
        pytest.skip(f"no recordings at {folder}; set NEURALAMP_DATA to their folder")
    return folder


def pytest_collection_modifyitems(items):
    """What goes to one worker together: the tests of a file, which share what they compile; of the contract, those of a box."""
    for item in items:
        word = getattr(item, "callspec", None) and item.callspec.params.get("word")
        item.add_marker(pytest.mark.xdist_group(str(word or item.path)))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """Where NEURALAMP_NO_SKIPS is set, as in CI, a skipped test fails the run: everything it needs is there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NEURALAMP_NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
