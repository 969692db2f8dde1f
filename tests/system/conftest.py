import signal

import pytest

import harness

# Under nohup, SIGHUP is ignored. The programs would inherit that from the
# tests, and then keep running when their terminal is closed.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes more than ten seconds")
    config.addinivalue_line("markers", "alone: measures what other tests "
                            "would disturb, so it does not run beside them")


def pytest_sessionstart(session):
    for program in (harness.PROMPTCC, harness.STAND_IN):
        if not program.exists():
            pytest.exit(f"{program} is missing: build the preset dev, or name "
                        "another build folder in PROMPTCC_BUILD", 4)


@pytest.fixture
def stage(tmp_path):
    """A folder and the processes of one test; see harness.py."""
    made = harness.Stage(tmp_path)
    yield made
    made.close()


@pytest.fixture
def sim(stage):
    """A stand-in with two slots."""
    return stage.stand_in(slots=2)


@pytest.fixture(scope="session")
def support():
    """Returns the folder with real customers' questions, which is not in the
    repository."""
    if not (harness.SUPPORT / "heldout.jsonl").exists():
        pytest.skip("needs ../shared/data/support (real customers' questions)")
    return harness.SUPPORT
