"""The parts of docs/ that scripts/reference.py makes say what their sources
say."""

import subprocess
import sys

import harness

SCRIPT = harness.ROOT / "scripts" / "reference.py"


def test_the_reference_matches_its_sources():
    done = subprocess.run([sys.executable, SCRIPT, "--check", harness.BUILD],
                          capture_output=True, text=True, timeout=harness.DEADLINE_S)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_outdated_reference_section_is_named_and_rewritten(tmp_path):
    """Runs in a copy of the tree, with a row that somebody wrote by hand."""
    for folder in ("docs", "scripts", "store", "web/assets"):
        (tmp_path / folder).parent.mkdir(exist_ok=True, parents=True)
        subprocess.run(["cp", "-r", harness.ROOT / folder, tmp_path / folder],
                       check=True)
    page = tmp_path / "docs" / "store.md"
    right = page.read_text()
    page.write_text(right.replace("| `seed` | of the optimizer |",
                                  "| `seed` | of a plant |"))
    assert page.read_text() != right
    words = [sys.executable, tmp_path / "scripts" / "reference.py", harness.BUILD]
    check = subprocess.run(words + ["--check"], capture_output=True, text=True)
    assert check.returncode == 1 and "of a plant" in check.stdout, check
    assert "scripts/reference.py" in check.stderr, check
    assert subprocess.run(words, check=False).returncode == 0
    assert page.read_text() == right
    page.write_text(right.replace("<!-- made: view v_cost -->", ""))
    without = subprocess.run(words, capture_output=True, text=True)
    assert without.returncode == 1 and "view v_cost" in without.stderr, without
