"""News for the floor above."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `video` (its row) in the transaction that makes a video ready, and in that of every further stretch of it
# that settles: receivers may be told the same thing twice.
video_ready = Signal()
