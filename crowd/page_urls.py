from __future__ import annotations

from django.urls import path

from crowd import pages

urlpatterns = [
    path("work/", pages.work, name="work"),
    path("work/training/<str:project_id>/", pages.training, name="training"),
    path("work/earnings/", pages.earnings, name="earnings"),
    path("projects/<str:project_id>/payouts/", pages.payouts, name="payouts"),
    path("projects/<str:project_id>/policy/", pages.policy, name="policy"),
    path("projects/<str:project_id>/gold/<str:gold_id>/", pages.gold, name="gold-item"),
    path("work/<str:assignment_id>/", pages.task, name="task"),
]
