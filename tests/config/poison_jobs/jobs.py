from __future__ import annotations

from annotation.queue import job
from tests.config import poison

job("kill")(poison.kill)
job("hang")(poison.hang)
