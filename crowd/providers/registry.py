from __future__ import annotations

from crowd.providers.files import FileProvider
from crowd.providers.interface import Provider

PROVIDERS: dict[str, Provider] = {"file": FileProvider()}
