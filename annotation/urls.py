from __future__ import annotations

from django.urls import path, register_converter

from annotation.api import people, resuming, videos, webhooks
from annotation.page_urls import urlpatterns as page_urlpatterns


class FrameNumber:
    """Digits of any length: whoever asks for frame 10^100 is told that there is none."""

    regex = "[0-9]{1,400}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(FrameNumber, "frame")

api_urlpatterns = [
    path("projects/<str:project_id>/members/", people.MemberList.as_view()),
    path("projects/<str:project_id>/members/<str:user_id>/", people.MemberDetail.as_view()),
    path("projects/<str:project_id>/invites/", people.InviteList.as_view()),
    path("projects/<str:project_id>/invites/<str:invite_id>/", people.InviteDetail.as_view()),
    path("invites/<str:secret>/accept/", people.AcceptInvite.as_view()),
    path("tokens/", people.TokenList.as_view()),
    path("tokens/<str:token_id>/", people.TokenDetail.as_view()),
    path("register/", people.Registration.as_view()),
    path("projects/<str:project_id>/videos/", videos.VideoList.as_view()),
    path("projects/<str:project_id>/uploads/", resuming.UploadList.as_view()),
    path("uploads/<str:upload_id>/", resuming.UploadDetail.as_view(), name="upload"),
    path("videos/<str:video_id>/", videos.VideoDetail.as_view()),
    path("videos/<str:video_id>/frames/<frame:n>/", videos.VideoPicture.as_view()),
    path("videos/<str:video_id>/frame-map/", videos.VideoFrameMap.as_view()),
    path("projects/<str:project_id>/webhooks/", webhooks.WebhookList.as_view()),
    path("webhooks/<str:webhook_id>/", webhooks.WebhookDetail.as_view()),
    path("webhooks/<str:webhook_id>/ping/", webhooks.WebhookPing.as_view()),
    path("webhooks/<str:webhook_id>/deliveries/", webhooks.DeliveryList.as_view()),
    path("webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/replay/", webhooks.DeliveryReplay.as_view()),
    path("clips/<str:signed>/", videos.ClipFile.as_view(), name="clip"),
]

urlpatterns = page_urlpatterns
