"""docs/library.md is true: its examples give what it says, with numpy and scipy alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/library.md"
RUN = """
import doctest, importlib, importlib.abc, sys
KNOWN = {*sys.stdlib_module_names, "numpy", "scipy", "annotation", "crowd", "review"}
class NothingElse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in KNOWN and not name.startswith("_"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NothingElse())
for name in sys.argv[2:]:
    importlib.import_module(name)
found = doctest.testfile(sys.argv[1], module_relative=False, encoding="utf-8")
sys.exit(found.failed or not found.attempted)
"""
MODULES = [
    f"{app}.core.{path.stem}" for app in ("annotation", "crowd", "review") for path in ROOT.glob(f"{app}/core/*.py")
]


def test_the_library_page_runs_as_written_and_all_modules_are_there_with_numpy_and_scipy_alone() -> None:
    run = [sys.executable, "-W", "error", "-c", RUN, PAGE, *MODULES]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
    assert len(MODULES) > 80 and done.returncode == 0, done.stdout + done.stderr


def test_the_example_of_the_formats_page_runs_as_written(tmp_path: Path) -> None:
    code = (ROOT / "docs/formats.md").read_text().partition("```python\n")[2].partition("```")[0]
    said = "\nprint([(t.id, t.label, len(t.frames)) for t in again.tracks])"
    run = [sys.executable, "-W", "error", "-c", code + said]
    done = subprocess.run(run, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[('1', 'person', 795)]\n"), done.stderr
