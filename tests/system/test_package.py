"""The package of `./bootstrap package` contains everything that is installed,
and names what it needs. scripts/try_package.sh installs it in a fresh root, by
hand."""

import shutil
import subprocess

import pytest

import harness


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    kinds = ["TGZ"] + ["DEB"] * (shutil.which("dpkg-shlibdeps") is not None)
    subprocess.run(["cpack", "--config", harness.BUILD / "CPackConfig.cmake",
                    "-B", folder, "-G", ";".join(kinds)],
                   check=True, capture_output=True)
    return folder


def test_the_archive_runs_from_any_folder(packed):
    archive = next(packed.glob("promptcc-*.tar.gz"))
    out = packed / "out"
    out.mkdir()
    subprocess.run(["tar", "-xzf", archive, "-C", out], check=True)
    program = next(out.rglob("bin/promptcc"))
    said = subprocess.run([program, "--version"], check=True, text=True,
                          capture_output=True).stdout
    assert said.startswith("promptcc ")
    names = {path.name for path in out.rglob("*")}
    assert {"promptcc.h", "promptcc.pc", "LICENSE", "README.md"} <= names


def test_the_deb_declares_its_dependencies(packed):
    found = list(packed.glob("*.deb"))
    if not found:
        pytest.skip("needs dpkg-shlibdeps (apt-get install dpkg-dev)")
    fields = subprocess.run(["dpkg-deb", "--field", found[0]], check=True,
                            text=True, capture_output=True).stdout
    for name in ("libzmq5", "libsqlite3-0", "libcurl4"):
        assert name in fields, fields
