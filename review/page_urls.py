from __future__ import annotations

from django.urls import path

from review import pages

urlpatterns = [
    path("projects/", pages.projects, name="projects"),
    path("projects/new/", pages.new_project, name="new-project"),
    path("projects/<str:project_id>/", pages.project, name="project"),
    path("projects/<str:project_id>/live/", pages.live, name="live"),
    path("projects/<str:project_id>/submissions/", pages.submissions, name="submissions"),
    path("projects/<str:project_id>/ledger/", pages.ledger, name="ledger"),
    path("review/", pages.queue, name="review"),
    path("review/joins/", pages.joins, name="joins"),
    path("review/<str:consensus_id>/", pages.item, name="review-item"),
]
