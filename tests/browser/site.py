"""The product, running as anybody runs it: `manage.py serve` over a folder of its own, told to stop at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "a good long word 42"
HANDED_DOWN = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")


class Site:
    """Serves at `url` until `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {name: os.environ[name] for name in HANDED_DOWN if name in os.environ}
        self.environ |= {"DATA_DIR": str(folder)}
        self.log = (folder / "serve.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", "0", "--workers", "1"],
            cwd=PROJECT,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"serving on (\S+?)/?\s*$", line):
                self.url = found[1]
                return
        raise RuntimeError(f"the server did not start: {(folder / 'serve.log').read_text()[-2000:]}")

    def add(self, **people: str) -> None:
        """People by name and role, all with PASSWORD."""
        file = self.folder / "people.csv"
        file.write_text("name,role,password\n" + "".join(f"{n},{role},{PASSWORD}\n" for n, role in people.items()))
        command = [sys.executable, "manage.py", "adduser", "--file", str(file)]
        subprocess.run(command, cwd=PROJECT, env=self.environ, check=True, capture_output=True)

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)
        self.log.close()
