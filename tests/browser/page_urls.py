"""The addresses that templates name, for pages that are shown without the product behind them."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path

NAMES = ("home", "work", "earnings", "password", "tokens", "logout", "review", "projects", "joins")
PROJECTS = ("project", "live", "payouts", "submissions", "policy", "ledger", "webhooks", "task", "review-item")
urlpatterns = [path(f"{name}/", lambda request: HttpResponse(), name=name) for name in NAMES]
urlpatterns += [path("gold/<str:pk>/<str:gold>/", lambda request, pk, gold: HttpResponse(), name="gold-item")]
urlpatterns += [path(f"{name}/<str:pk>/", lambda request, pk: HttpResponse(), name=name) for name in PROJECTS]
