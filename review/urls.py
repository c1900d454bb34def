from __future__ import annotations

from django.urls import path

from review.api import imports, provenance, results, verdicts
from review.page_urls import urlpatterns as page_urlpatterns

api_urlpatterns = [
    path("projects/<str:project_id>/progress/", results.Progress.as_view()),
    path("projects/<str:project_id>/consensus/", verdicts.ConsensusList.as_view()),
    path("consensus/<str:consensus_id>/", verdicts.ConsensusDetail.as_view()),
    path("consensus/<str:consensus_id>/builds/<int:version>/", verdicts.ConsensusBuild.as_view()),
    path("consensus/<str:consensus_id>/accept/", verdicts.Accept.as_view()),
    path("consensus/<str:consensus_id>/reject/", verdicts.Reject.as_view()),
    path("consensus/<str:consensus_id>/amend/", verdicts.Amend.as_view()),
    path("consensus/<str:consensus_id>/gold/", verdicts.MakeGold.as_view()),
    path("projects/<str:project_id>/joins/", verdicts.JoinList.as_view()),
    path("joins/<str:join_id>/", verdicts.JoinDetail.as_view()),
    path("joins/<str:join_id>/same/", verdicts.JoinVerdict.as_view(same=True)),
    path("joins/<str:join_id>/different/", verdicts.JoinVerdict.as_view(same=False)),
    path("videos/<str:video_id>/tracks/", results.VideoTracks.as_view()),
    path("projects/<str:project_id>/releases/", results.ReleaseList.as_view()),
    path("releases/<str:release_id>/", results.ReleaseDetail.as_view()),
    path("releases/<str:release_id>/diff/", provenance.Diff.as_view()),
    path("releases/<str:release_id>/trace/", provenance.Trace.as_view()),
    path("projects/<str:project_id>/exports/", results.ExportList.as_view()),
    path("projects/<str:project_id>/imports/", imports.ImportList.as_view()),
    path("imports/<str:import_id>/", imports.ImportDetail.as_view()),
    path("imports/<str:import_id>/undo/", imports.ImportUndo.as_view()),
    path("exports/<str:export_id>/", results.ExportDetail.as_view()),
    path("exports/<str:export_id>/download/", results.ExportDownload.as_view(), name="export-download"),
]

urlpatterns = page_urlpatterns
