from __future__ import annotations

from django.urls import path

from crowd.api import assignments, gold, people, projects, qualification
from crowd.page_urls import urlpatterns as page_urlpatterns

api_urlpatterns = [
    path("projects/", projects.ProjectList.as_view()),
    path("projects/<str:project_id>/", projects.ProjectDetail.as_view()),
    path("projects/<str:project_id>/gold/", gold.GoldList.as_view()),
    path("gold/<str:gold_id>/", gold.GoldDetail.as_view()),
    path("gold/<str:gold_id>/retire/", gold.GoldMove.as_view(move="retire")),
    path("gold/<str:gold_id>/restore/", gold.GoldMove.as_view(move="restore")),
    path("projects/<str:project_id>/pre-labels/", projects.PreLabelsList.as_view()),
    path("pre-labels/<str:pre_labels_id>/", projects.PreLabelsDetail.as_view()),
    path("projects/<str:project_id>/launch/", projects.Launch.as_view()),
    path("projects/<str:project_id>/batches/", projects.BatchList.as_view()),
    path("batches/<str:batch_id>/", projects.BatchDetail.as_view()),
    path("batches/<str:batch_id>/pause/", projects.BatchMove.as_view(move="pause")),
    path("batches/<str:batch_id>/resume/", projects.BatchMove.as_view(move="resume")),
    path("batches/<str:batch_id>/cancel/", projects.BatchMove.as_view(move="cancel")),
    path("projects/<str:project_id>/workers/", people.WorkerList.as_view()),
    path("projects/<str:project_id>/workers/<str:user>/pause/", people.WorkerMove.as_view(move="pause")),
    path("projects/<str:project_id>/workers/<str:user>/ban/", people.WorkerMove.as_view(move="ban")),
    path("projects/<str:project_id>/workers/<str:user>/restore/", people.WorkerMove.as_view(move="restore")),
    path("projects/<str:project_id>/workers/<str:user>/qualify/", people.WorkerMove.as_view(move="qualify")),
    path("projects/<str:project_id>/workers/<str:user>/retrain/", people.WorkerMove.as_view(move="retrain")),
    path("projects/<str:project_id>/workers/<str:user>/same/", qualification.SamePersonOf.as_view()),
    path("projects/<str:project_id>/same-persons/", qualification.SamePersonList.as_view()),
    path("projects/<str:project_id>/same-persons/<str:pair_id>/", qualification.SamePersonDetail.as_view()),
    path("projects/<str:project_id>/qualification/", qualification.QualificationList.as_view()),
    path("projects/<str:project_id>/submissions/", people.SubmissionList.as_view()),
    path("submissions/<str:assignment_id>/accept/", people.SubmissionMove.as_view(move="accept")),
    path("submissions/<str:assignment_id>/reject/", people.SubmissionMove.as_view(move="reject")),
    path("submissions/<str:assignment_id>/salvage/", people.SubmissionMove.as_view(move="salvage")),
    path("me/", people.Me.as_view()),
    path("assignments/", assignments.AssignmentList.as_view()),
    path("assignments/claim/", assignments.Claim.as_view()),
    path("assignments/<str:assignment_id>/", assignments.AssignmentDetail.as_view()),
    path("assignments/<str:assignment_id>/frames/<int:frame>/", assignments.AssignmentPicture.as_view()),
    path("assignments/<str:assignment_id>/draft/", assignments.SaveDraft.as_view()),
    path("assignments/<str:assignment_id>/renew/", assignments.Renew.as_view()),
    path("assignments/<str:assignment_id>/submit/", assignments.Submit.as_view()),
    path("assignments/<str:assignment_id>/release/", assignments.ReleaseSeat.as_view()),
]

urlpatterns = page_urlpatterns
