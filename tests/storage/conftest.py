"""A real store, moto's server, as the storage of the tests that ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.storage import default_storage

from annotation import storing
from annotation.bucket import Bucket
from annotation.ids import new_id
from config import environment
from tests import servers, store


@pytest.fixture
def address() -> str:
    """`STORAGE_URL` of a bucket of the test's own."""
    return store.storage_url(servers.store_url(), f"test-{new_id()}/some/prefix")


@pytest.fixture
def bucket(address: str, settings: Any, tmp_path: Any) -> Iterator[Bucket]:
    """The storage is a bucket, and this host's data lie in a folder of the test's own."""
    use(address, settings, tmp_path / "host")
    yield default_storage
    storing.cache.cache_clear()


def use(address: str, settings: Any, folder: Any) -> None:
    """As a host would that has this STORAGE_URL and this DATA_DIR."""
    from config.settings import _storage

    found = environment.read({"STORAGE_URL": address, "DATA_DIR": str(folder)})
    (folder / "scratch").mkdir(parents=True, exist_ok=True)
    settings.DATA_DIR = folder
    settings.MEDIA_ROOT = str(found.storage_dir)
    settings.FILE_UPLOAD_TEMP_DIR = folder / "scratch"
    settings.STORAGES = settings.STORAGES | {"default": _storage(found.bucket)}
    storing.cache.cache_clear()
