"""The notebook runs from its first cell to its last, as a reader would run
it."""

import importlib.util
import json
import subprocess
import sys

import harness


def test_the_notebook_runs_from_start_to_end(stage):
    notebook = json.loads(
        (harness.ROOT / "examples" / "customer_care.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"]
             if cell["cell_type"] == "code"]
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    script = stage.folder / "notebook.py"
    script.write_text("\n\n".join(cells) + "\n")
    tools = stage.folder / "bin"
    tools.mkdir()
    (tools / "promptcc").symlink_to(harness.PROMPTCC.resolve())
    done = subprocess.run(
        [sys.executable, script], cwd=stage.folder, capture_output=True,
        text=True, timeout=600, check=False,
        env=harness.environment(PATH=f"{tools}:/usr/bin:/bin",
                                MPLBACKEND="Agg"))
    assert done.returncode == 0, done.stderr[-3000:]
    for said in ("% right on", "why it ended:", "validation, compiled",
                 "--- classify", '"intent"'):
        assert said in done.stdout, done.stdout
    if importlib.util.find_spec("matplotlib"):
        assert "no matplotlib here" not in done.stdout
