from __future__ import annotations

from channels.sessions import SessionMiddlewareStack
from django.urls import path, re_path

from review.consumers import Nowhere, ProgressConsumer

websocket_urlpatterns = [
    path("ws/projects/<str:project_id>/", SessionMiddlewareStack(ProgressConsumer.as_asgi())),
    re_path("", Nowhere.as_asgi()),
]
