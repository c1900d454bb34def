"""Where the site is and who asks: from arguments, else the environment, else a file."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from trackweave_client.errors import NotConfigured

_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Settings:
    url: str
    token: str


def read(url: str | None = None, token: str | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """`TRACKWEAVE_URL` and `TRACKWEAVE_TOKEN`, or `url` and `token` in the file of `config_path`. NotConfigured where
    one is missing or makes no sense."""
    url, token = url or environ.get("TRACKWEAVE_URL"), token or environ.get("TRACKWEAVE_TOKEN")
    if not (url and token):
        said = _file(config_path(environ))
        url, token = url or said.get("url"), token or said.get("token")
    if not (url and token):
        missing = "TRACKWEAVE_TOKEN" if url else "TRACKWEAVE_URL"
        raise NotConfigured(f"{missing} is not set, and {config_path(environ)} does not say it")
    if not _is_address(url):
        raise NotConfigured(f"{url!r} is no address of a site, such as https://labels.example.org")
    if not _TOKEN.fullmatch(token):  # which is not shown: it may be right but for a line's end
        raise NotConfigured("the token has blanks, line ends or letters in it that no token has")
    return Settings(url.rstrip("/"), token)


def _is_address(url: str) -> bool:
    try:
        parts, _ = urlsplit(url), httpx.URL(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, httpx.InvalidURL):  # a port that is none, half a bracket, a line's end
        return False


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """`$TRACKWEAVE_CONFIG`, or `trackweave/config.toml` under `$XDG_CONFIG_HOME` (`~/.config`)."""
    if given := environ.get("TRACKWEAVE_CONFIG"):
        return Path(given)
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "trackweave" / "config.toml"


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where it is noted what is under way: `trackweave` under `$XDG_STATE_HOME` (`~/.local/state`)."""
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "trackweave"


def _file(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            said = tomllib.load(file)
            open_to_others = os.fstat(file.fileno()).st_mode & 0o077
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise NotConfigured(f"{path} cannot be read: {error}") from None
    if "token" in said and open_to_others and os.name == "posix":
        raise NotConfigured(f"others may read the token in {path}: chmod 600 {path}")
    return {name: value for name, value in said.items() if isinstance(value, str)}
