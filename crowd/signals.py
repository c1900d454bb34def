"""News for the floor above."""

from __future__ import annotations

from django.dispatch import Signal

# Sent in the transaction of the change, with `assignment` and `change`: "received" or "revoked".
submission_changed = Signal()
