"""An S3-compatible store for the tests: moto's server, on a port of its own choice, as a process of its own.

`python -m tests.store FOLDER` writes its port into FOLDER once it answers (see `servers`).
"""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from typing import Any

#: moto takes any keys.
KEYS = {"aws_access_key_id": "tests", "aws_secret_access_key": "only"}


def client(url: str) -> Any:
    """boto3's own client, for what the tests look at past our code."""
    import boto3

    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", **KEYS)


def storage_url(url: str, bucket: str, **options: str) -> str:
    """`STORAGE_URL` for a bucket of the store, which is made if it is not there, or for a prefix in it."""
    client(url).create_bucket(Bucket=bucket.partition("/")[0])
    query = "&".join(f"{name}={value}" for name, value in ({"region": "us-east-1", "tls": "off"} | options).items())
    return f"s3://tests:only@{url.removeprefix('http://')}/{bucket}?{query}"


def main(folder: Path) -> None:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    fresh = folder / "port.new"
    fresh.write_text(str(server.get_host_and_port()[1]))
    fresh.rename(folder / "port")
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main(Path(sys.argv[1]))
