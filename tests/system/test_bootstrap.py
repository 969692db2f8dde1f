"""On systems whose packages ./bootstrap does not install itself, it names what
is missing in the words of the package manager, and ends."""

import shutil
import subprocess

import harness
import pytest

# What the script itself needs; no compiler among them.
TOOLS = "sh dirname sed grep sort tr uname id cat rm mkdir".split()


def bootstrap(stage, manager, *words):
    tools = stage.folder / "bin"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(shutil.which(name))
    if manager:
        (tools / manager).write_text("#!/bin/sh\nexit 1\n")
        (tools / manager).chmod(0o755)
    return subprocess.run([harness.ROOT / "bootstrap", *words], env={"PATH": str(tools)},
                          capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("manager, said", [
    ("dnf", ["sudo dnf install ", " ninja-build ", " msgpack-devel ", " libfyaml-devel "]),
    ("pacman", ["sudo pacman -S --needed ", " ninja ", " msgpack-c ", " zeromq "]),
    ("brew", ["brew install ", " ninja ", " msgpack ", " zeromq "]),
    ("", ["these are Debian's names", " ninja-build ", " libfyaml-dev "]),
])
def test_bootstrap_build_names_missing_packages_and_fails(stage, manager, said):
    done = bootstrap(stage, manager, "build")
    assert done.returncode == 1
    for words in [*said, "run the same command again"]:
        assert words in done.stderr, done.stderr
    assert "/" not in done.stderr.split("install")[1].split("\n")[0]
    assert done.stdout == ""


def test_pip_only_packages_are_not_listed_as_built_by_hand(stage):
    done = bootstrap(stage, "brew", "test")
    assert "python3 -m pip install pytest pytest-xdist " in done.stderr
    assert "pip:" not in done.stderr
    assert "built by hand" not in done.stderr


def test_unpackaged_dependencies_are_listed_as_built_by_hand(stage):
    done = bootstrap(stage, "pacman", "test")
    assert "to be built by hand: criterion " in done.stderr
