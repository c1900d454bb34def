from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.parametrize("url", ["foo", "localhost:8000", "ftp://localhost", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused_before_anything_is_read_or_tried(url: str) -> None:
    with pytest.raises(CommandError, match="--url"):
        call_command("simulate", url=url, project="Crossing", truth="gone.txt", people="gone.csv")
