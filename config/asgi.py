"""The web site for ASGI servers: HTTP, and the live figures under /ws/."""

from __future__ import annotations

import os
from importlib.util import find_spec

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("TRACKWEAVE_PROCESS", "web")

http = get_asgi_application()  # sets Django up: what follows may import models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

# crowd and review bring `websocket_urlpatterns` with their own authentication and check of the Origin.
patterns: list = []
for app in ("crowd", "review"):
    if find_spec(f"{app}.routing"):
        patterns += __import__(f"{app}.routing", fromlist=["websocket_urlpatterns"]).websocket_urlpatterns

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(patterns)})
