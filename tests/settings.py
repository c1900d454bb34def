"""Settings for tests: the product's own, over servers and folders that the run makes for itself (see `servers`).

TEST_DATABASE=sqlite runs on SQLite instead of PostgreSQL. Nothing is started here.
"""

from __future__ import annotations

import os

from tests import servers

RUN = servers.run_folder()
TEST_DATABASE = os.environ.get("TEST_DATABASE", "postgres")
for name in ("DEBUG", "STORAGE_URL", "PUBLIC_URL", "ALLOWED_HOSTS", "OPEN_REGISTRATION", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ["DATA_DIR"] = str(RUN / "data")
os.environ["SECRET_KEY"] = "tests only: a key that is long enough and nobody else uses 0123456789"
os.environ["DATABASE_URL"] = servers.database_url(TEST_DATABASE)

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

if TEST_DATABASE == "sqlite":
    # In a file, so that threads and child processes see what the test sees.
    DATABASES["default"]["TEST"] = {"NAME": str(RUN / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True  # every test makes clients of its own, and each would list all static files first
