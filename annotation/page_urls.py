from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from annotation import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("login/", pages.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", pages.ChangePassword.as_view(), name="password"),
    path("tokens/", pages.api_tokens, name="tokens"),
    path("projects/<str:project_id>/webhooks/", pages.webhooks, name="webhooks"),
    path("register/", pages.register, name="register"),
    path("invites/<str:secret>/", pages.invite, name="invite"),
]
