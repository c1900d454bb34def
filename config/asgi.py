"""The web site for ASGI servers: HTTP, and the live figures under /ws/."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("TRACKWEAVE_PROCESS", "web")

http = get_asgi_application()  # sets Django up: what follows may import models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from config.bounding import Bounded  # noqa: E402
from config.pieces import InPieces  # noqa: E402
from review.routing import websocket_urlpatterns  # noqa: E402

# No middleware around it: the consumers bring their own authentication and check of the Origin.
application = ProtocolTypeRouter({"http": Bounded(InPieces(http)), "websocket": URLRouter(websocket_urlpatterns)})
