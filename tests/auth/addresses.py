"""A few addresses that stand on the base classes alone, so that these can be tested by themselves."""

from __future__ import annotations

from django.http import Http404
from django.urls import path
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api.people import TokenList
from annotation.api_base import View
from annotation.errors import Gone, Invalid
from annotation.idempotency import Unchanged
from annotation.models import ApiToken


class TooLate(Gone):
    """It is too late, but what you sent is kept."""

    keeps = True


def note(request: Request, name: str) -> ApiToken:
    """Any row of any table will do as an effect."""
    return ApiToken.objects.create(user=request.user, name=name, key_sha256=f"{name}-{ApiToken.objects.count()}")


class Who(View):
    def get(self, request: Request) -> Response:
        return Response({"name": request.user.username})


class Notes(View):
    def post(self, request: Request) -> Response:
        return Response({"id": note(request, request.data["name"]).pk}, status=201)


class Empty(View):
    def post(self, request: Request) -> Response:
        note(request, "empty")
        return Response(status=204)


class NothingNew(View):
    def post(self, request: Request) -> Response:
        return Unchanged({"notes": ApiToken.objects.count()})


class Refused(View):
    def post(self, request: Request) -> Response:
        note(request, "refused")
        raise Invalid.at("/name", "is no good")

    put = post


class AnsweredBadly(View):
    def post(self, request: Request) -> Response:
        note(request, "badly")
        return Response({"no": "good"}, status=400)


class Late(View):
    def post(self, request: Request) -> Response:
        note(request, "late")
        raise TooLate


class Broken(View):
    def post(self, request: Request) -> Response:
        note(request, "broken")
        raise RuntimeError("a fault of ours")


class Upload(View):
    parser_classes = [MultiPartParser]

    def post(self, request: Request) -> Response:
        note(request, "upload")
        if "file" not in request.data:
            raise Invalid.at("/file", "is missing")
        return Response({"bytes": len(request.data["file"].read())}, status=201)


class Fields(serializers.Serializer):
    name = serializers.CharField(max_length=3)
    points = serializers.ListField(child=serializers.FloatField())


class Checked(View):
    def post(self, request: Request) -> Response:
        Fields(data=request.data).is_valid(raise_exception=True)
        return Response()


class Absent(View):
    def get(self, request: Request) -> Response:
        raise Http404("the path of a file that nobody should read")


urlpatterns = [
    path("api/v1/who/", Who.as_view()),
    path("api/v1/notes/", Notes.as_view()),
    path("api/v1/empty/", Empty.as_view()),
    path("api/v1/tokens/", TokenList.as_view()),
    path("api/v1/unchanged/", NothingNew.as_view()),
    path("api/v1/refused/", Refused.as_view()),
    path("api/v1/answered-badly/", AnsweredBadly.as_view()),
    path("api/v1/late/", Late.as_view()),
    path("api/v1/broken/", Broken.as_view()),
    path("api/v1/upload/", Upload.as_view()),
    path("api/v1/checked/", Checked.as_view()),
    path("api/v1/absent/", Absent.as_view()),
]
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
