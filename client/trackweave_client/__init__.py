"""A client of Trackweave's REST API: uploads and downloads that go on where they stopped, and a command line."""

from trackweave_client.client import Client
from trackweave_client.errors import (
    ApiError,
    ChecksumMismatch,
    Failed,
    NotConfigured,
    TrackweaveError,
    Unreachable,
)

__all__ = ["ApiError", "ChecksumMismatch", "Client", "Failed", "NotConfigured", "TrackweaveError", "Unreachable"]
