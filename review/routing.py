from __future__ import annotations

from channels.sessions import SessionMiddlewareStack
from django.urls import path

from review.consumers import ProgressConsumer

websocket_urlpatterns = [
    path("ws/projects/<str:project_id>/", SessionMiddlewareStack(ProgressConsumer.as_asgi())),
]
