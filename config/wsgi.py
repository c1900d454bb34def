"""The web site for WSGI servers: everything but /ws/."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("TRACKWEAVE_PROCESS", "web")

application = get_wsgi_application()
