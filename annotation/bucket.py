"""Files in a bucket of any store that speaks S3: the one place that knows django-storages and boto3.

Objects appear whole or not at all, so a name that is there names a whole file. Reads are streamed in blocks: the
library's own files are copied as a whole before the first byte can be read.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, TypeVar

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

BLOCK_BYTES = 4 << 20
BUFFER_BYTES = 256 << 10
PART_BYTES = 16 << 20
ATTEMPTS = 3

Answer = TypeVar("Answer")


class Bucket(S3Storage):
    """A bucket, or what lies under a prefix of it. `links`: whether downloads may be sent there, by signed links."""

    #: What a store that cannot be reached is told by, beside OSError.
    away = (BotoCoreError, ClientError)

    def __init__(self, *, links: bool = True, **options: Any) -> None:
        self.links = links
        how = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if options.get("endpoint_url") else "auto"},
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 5},
            # Stores other than Amazon's do not know the newer checksums of whole objects.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        parts = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=4)
        super().__init__(client_config=how, transfer_config=parts, **options)

    @property
    def bucket(self) -> Any:
        """Of the calling thread: what boto3 makes beside its clients is not for several."""
        return self.connection.Bucket(self.bucket_name)

    @property
    def client(self) -> Any:
        return self.connection.meta.client

    def look(self) -> None:
        """Ask for the bucket, and nothing more. ClientError or BotoCoreError where it cannot be reached."""
        self.client.head_bucket(Bucket=self.bucket_name)

    def link(self, name: str, *, seconds: int, download_as: str, content_type: str) -> str:
        """An address that yields an object to anybody for some seconds."""
        shown = {"ResponseContentDisposition": download_as, "ResponseContentType": content_type}
        return self.url(name, shown, expire=seconds)

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError("objects are written whole")
        return File(io.BufferedReader(_Reader(self, name, self.size(name)), BUFFER_BYTES), name)


class _Reader(io.RawIOBase):
    """An object as a file to read and seek in; what breaks on the way is asked for again."""

    def __init__(self, bucket: Bucket, name: str, size: int) -> None:
        self.bucket, self.name, self.size = bucket, name, size
        self.key = bucket._normalize_name(name)
        self.at = 0
        self._block: Any = None
        self._block_stop = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        if start + offset != self.at:
            self._drop()
            self.at = start + offset
        return self.at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self.size - self.at))
        if not wanted:
            return 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                piece = self._read(wanted)
                break
            except (BotoCoreError, OSError):
                self._drop()
                if attempt == ATTEMPTS:
                    raise
        buffer[: len(piece)] = piece
        self.at += len(piece)
        return len(piece)

    def _read(self, wanted: int) -> bytes:
        if self._block is None or self.at >= self._block_stop:
            self._drop()
            self._block_stop = min(self.size, self.at + BLOCK_BYTES)
            span = f"bytes={self.at}-{self._block_stop - 1}"
            where = {"Bucket": self.bucket.bucket_name, "Key": self.key, "Range": span}
            self._block = _found(self.name, lambda: self.bucket.client.get_object(**where))["Body"]
        piece: bytes = self._block.read(min(wanted, self._block_stop - self.at))
        if not piece:
            raise OSError(f"{self.name} ended early in the store")
        return piece

    def _drop(self) -> None:
        if self._block is not None:
            self._block.close()
            self._block = None

    def close(self) -> None:
        self._drop()
        super().close()


def _found(name: str, ask: Callable[[], Answer]) -> Answer:
    """FileNotFoundError where the store says that there is no such object."""
    try:
        return ask()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise FileNotFoundError(f"{name} is not in the store") from None
        raise
