"""What the environment says, read once and checked: plain values in, plain values out, nothing of Django.

Nonsense is refused with the name of the variable and what it may be; an empty variable counts as left out.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")
SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")


class BadSetting(ValueError):
    """A variable of the environment holds something that cannot be meant."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        shown = _without_password(value)
        super().__init__(f"{name}={shown!r} makes no sense: {expected}")


@dataclass(frozen=True)
class Database:
    """Where the rows live: `engine` is "sqlite" or "postgres"; `name` is a path for SQLite."""

    engine: str
    name: str
    user: str = ""
    password: str = ""
    host: str = ""
    port: int | None = None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Bucket:
    """Where files lie in a store that speaks S3. Without `endpoint` it is Amazon's, without keys the machine's own are
    used; `links` are signed addresses that downloads are sent to."""

    name: str
    prefix: str
    endpoint: str | None
    region: str | None
    access_key: str | None
    secret_key: str | None
    links: bool


@dataclass(frozen=True)
class Environment:
    data_dir: Path
    database: Database
    redis_url: str | None
    storage_dir: Path  # of files, or, with a bucket, of what is at work on this host
    bucket: Bucket | None
    storage_cache_bytes: int
    public_url: str | None
    allowed_hosts: tuple[str, ...]
    debug: bool
    open_registration: bool
    webhook_networks: tuple[IPv4Network | IPv6Network, ...]
    secret_key: str | None  # None: the one kept under data_dir, see `kept_secret`

    @property
    def https(self) -> bool:
        return self.public_url is not None and self.public_url.startswith("https://")


def read(environ: Mapping[str, str]) -> Environment:
    """All settings of the contract from `environ`; touches no file. Raises BadSetting."""
    data_dir = Path(environ.get("DATA_DIR") or "data").expanduser().absolute()
    public_url = _public_url(environ.get("PUBLIC_URL", ""))
    return Environment(
        data_dir=data_dir,
        database=parse_database(environ.get("DATABASE_URL", ""), data_dir),
        redis_url=_redis_url(environ.get("REDIS_URL", "")),
        storage_dir=_storage_dir(environ.get("STORAGE_URL", ""), data_dir),
        bucket=_bucket(environ.get("STORAGE_URL", "")),
        storage_cache_bytes=_count(environ, "STORAGE_CACHE_BYTES", 20 << 30),
        public_url=public_url,
        allowed_hosts=_hosts(environ.get("ALLOWED_HOSTS", ""), public_url),
        debug=_switch(environ, "DEBUG"),
        open_registration=_switch(environ, "OPEN_REGISTRATION"),
        webhook_networks=_networks(environ.get("WEBHOOK_NETWORKS", "")),
        secret_key=_secret(environ.get("SECRET_KEY", "")),
    )


def parse_database(url: str, data_dir: Path) -> Database:
    """`sqlite:///relative.db`, `sqlite:////absolute.db` or `postgres://user:password@host:port/name?sslmode=require`.

    An empty url is SQLite under `data_dir`. A PostgreSQL socket folder goes in as `?host=/run/postgresql`.
    """
    if not url:
        return Database("sqlite", str(data_dir / "trackweave.sqlite3"))
    parts = _split("DATABASE_URL", url)
    if parts.scheme == "sqlite":
        return _sqlite(url, parts)
    if parts.scheme in ("postgres", "postgresql"):
        return _postgres(url, parts)
    raise BadSetting("DATABASE_URL", url, "it starts with sqlite:/// or postgres://")


def folder(name: str, path: Path) -> Path:
    """The folder of a setting, made if it is not there. BadSetting where it cannot be, or is not to be written in."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(name, str(path), f"no folder can be made there: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise BadSetting(name, str(path), "this user may not write in that folder")
    return path


def kept_secret(path: Path) -> str:
    """The secret in `path`, made now (mode 0600) if there is none. Of two processes at once, one makes it for both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _secret_in(path)
    except FileNotFoundError:
        pass
    # Written whole beside its place and linked there: a link never overwrites, so the first of two wins.
    handle, draft = tempfile.mkstemp(prefix=".secret-", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
    return _secret_in(path)


def _secret_in(path: Path) -> str:
    secret = path.read_text().strip()
    if len(secret) < 50:
        raise BadSetting(
            "SECRET_KEY", str(path), "the file holds a secret of at least 50 characters; delete it for a new one"
        )
    return secret


def _secret(value: str) -> str | None:
    if value and (len(value) < 50 or len(set(value)) < 5):
        # The value itself is never shown.
        raise BadSetting(
            "SECRET_KEY", "…", "it is at least 50 characters long and random; leave it out for one kept under DATA_DIR"
        )
    return value or None


def _sqlite(url: str, parts) -> Database:
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/") or path in ("/", "//") or path.endswith("/"):
        raise BadSetting("DATABASE_URL", url, "SQLite is sqlite:///relative/path or sqlite:////absolute/path")
    options = _options(url, parts.query)
    if set(options) - {"synchronous"} or options.get("synchronous", "FULL").upper() not in SYNCHRONOUS:
        raise BadSetting("DATABASE_URL", url, f"SQLite's only option is synchronous, one of {', '.join(SYNCHRONOUS)}")
    name = path[1:] if path.startswith("//") else str(Path(path[1:]).absolute())
    return Database("sqlite", name, options=tuple((key, value.upper()) for key, value in options.items()))


def _postgres(url: str, parts) -> Database:
    try:
        port = parts.port
    except ValueError:
        raise BadSetting("DATABASE_URL", url, "the port is a number up to 65535") from None
    name = unquote(parts.path.lstrip("/"))
    if not name or "/" in name:
        raise BadSetting("DATABASE_URL", url, "the database's name is missing: postgres://user:password@host:port/name")
    options = _options(url, parts.query)
    after = options.get("prepare_threshold", "none")
    if after != "none" and not (after.isascii() and after.isdigit()):
        raise BadSetting("DATABASE_URL", url, "prepare_threshold is a whole number, or none to prepare nothing")
    host = options.pop("host", "") or unquote(parts.hostname or "")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Database("postgres", name, user, password, host, port, tuple(options.items()))


def _options(url: str, query: str, name: str = "DATABASE_URL") -> dict[str, str]:
    try:
        return dict(parse_qsl(query, strict_parsing=bool(query)))
    except ValueError:
        raise BadSetting(name, url, "options are ?name=value&name=value") from None


def _redis_url(url: str) -> str | None:
    if not url:
        return None
    parts = _split("REDIS_URL", url)
    if parts.scheme not in ("redis", "rediss", "unix") or not (parts.netloc or parts.path.strip("/")):
        raise BadSetting("REDIS_URL", url, "it is redis://host:port/number, rediss://… or unix:///path")
    return url


def _storage_dir(url: str, data_dir: Path) -> Path:
    if not url:
        return data_dir / "files"
    parts = _split("STORAGE_URL", url)
    if parts.scheme == "s3":
        return data_dir
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        expected = "it is file:///absolute/path or s3://KEY:SECRET@host:port/bucket?region=…"
        raise BadSetting("STORAGE_URL", url, expected)
    return Path(unquote(parts.path))


def _bucket(url: str) -> Bucket | None:
    parts = _split("STORAGE_URL", url)
    if parts.scheme != "s3":
        return None
    name, _, prefix = unquote(parts.path).strip("/").partition("/")
    options = _options(url, parts.query, "STORAGE_URL")
    tls, links = (_switch({"STORAGE_URL": options.pop(o, "on")}, "STORAGE_URL") for o in ("tls", "links"))
    region = options.pop("region", None)
    if not name or options or bool(parts.username) != bool(parts.password):
        expected = "it is s3://KEY:SECRET@host:port/bucket/prefix with the options region, tls and links"
        raise BadSetting("STORAGE_URL", url, expected)
    host = parts.netloc.rpartition("@")[2]
    endpoint = f"{'https' if tls else 'http'}://{host}" if host else None
    key, secret = (unquote(part) if part else None for part in (parts.username, parts.password))
    return Bucket(name, prefix, endpoint, region, key, secret, links)


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name, "").strip()
    if value and not (value.isascii() and value.isdigit() and len(value) < 19):
        raise BadSetting(name, value, "it is a whole number of bytes")
    return int(value or default)


def _public_url(url: str) -> str | None:
    if not url:
        return None
    parts = _split("PUBLIC_URL", url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise BadSetting(
            "PUBLIC_URL", url, "it is the site's root as browsers see it, such as https://labels.example.org"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _hosts(value: str, public_url: str | None) -> tuple[str, ...]:
    if value:
        hosts = tuple(host.strip() for host in value.split(",") if host.strip())
        if not hosts or any("/" in host or " " in host for host in hosts):
            raise BadSetting("ALLOWED_HOSTS", value, "it is a list of host names with commas between, without http://")
        return hosts
    own = urlsplit(public_url).hostname if public_url else None
    return (*LOOPBACK, own) if own and own not in LOOPBACK else LOOPBACK


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise BadSetting("WEBHOOK_NETWORKS", value, f"it is a list of networks such as 10.0.0.0/8 ({error})") from None


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value in TRUE:
        return True
    if value in FALSE or not value:
        return False
    raise BadSetting(name, value, f"it is one of {', '.join(TRUE + FALSE)}")


def _split(name: str, url: str):
    try:
        return urlsplit(url)
    except ValueError as error:
        raise BadSetting(name, url, f"it is no address ({error})") from None


def _without_password(value: str) -> str:
    """`value` with what stands between `:` and `@` of an address hidden, so that errors can be shown."""
    head, at, tail = value.rpartition("@")
    scheme, slashes, who = head.partition("://")
    return f"{scheme}://{who.partition(':')[0]}:…@{tail}" if at and slashes else value
