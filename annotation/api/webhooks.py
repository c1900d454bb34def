"""Webhooks of a project, and the log of what was sent."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import notifying, outgoing
from annotation.access import Capability, require, visible
from annotation.answering import get_or_404, paged
from annotation.api.rows import project_for, read
from annotation.api_base import View
from annotation.lifecycle import Event
from annotation.models import Delivery, Webhook
from annotation.serializers import FlagField, TextField

URL = "^[Hh][Tt][Tt][Pp][Ss]?://[!-~]+$"
EVENTS = [(event.value, event.value) for event in Event if event != Event.PING]


class WebhookSerializer(serializers.ModelSerializer):
    project = serializers.CharField(source="project_id")
    events = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Webhook
        fields = read_only_fields = ["id", "project", "url", "events", "enabled", "reason", "created_at"]


class ChangedWebhookSerializer(serializers.Serializer):
    url = serializers.RegexField(URL, max_length=2000)
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS), min_length=1, max_length=len(EVENTS))
    secret = TextField(min_length=16, max_length=200, trim_whitespace=False)
    enabled = FlagField()

    def validate_url(self, url: str) -> str:
        if problem := outgoing.url_problem(url, settings.WEBHOOK_NETWORKS):
            raise serializers.ValidationError(problem)
        return url


class NewWebhookSerializer(ChangedWebhookSerializer):
    secret = TextField(min_length=16, max_length=200, trim_whitespace=False, required=False)
    enabled = None


class MadeWebhookSerializer(WebhookSerializer):
    """A webhook with its secret, which is told only once."""

    secret = serializers.CharField()

    class Meta(WebhookSerializer.Meta):
        fields = read_only_fields = [*WebhookSerializer.Meta.fields, "secret"]


class AttemptSerializer(serializers.Serializer):
    """One attempt: what was answered, or why nothing was."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(required=False)
    seconds = serializers.FloatField(required=False)
    redirects = serializers.IntegerField(required=False)
    error = serializers.CharField(required=False)


class DeliverySerializer(serializers.ModelSerializer):
    webhook = serializers.CharField(source="webhook_id")
    attempts = AttemptSerializer(many=True)

    class Meta:
        model = Delivery
        fields = ["id", "webhook", "event", "body", "status", "attempts", "next_at", "created_at", "ended_at"]
        read_only_fields = fields


class WebhookList(View):
    @extend_schema(operation_id="webhooks_list", responses=WebhookSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        rows = Webhook.objects.filter(project=project)
        return paged(self, rows, lambda row: WebhookSerializer(row).data, ordering="created_at")

    @extend_schema(request=NewWebhookSerializer, responses={201: MadeWebhookSerializer})
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.RUN)
        given: dict[str, Any] = {"secret": None, **read(NewWebhookSerializer, request)}
        made = notifying.create_webhook(project=project, by=request.user, **given)
        made.refresh_from_db()
        return Response(MadeWebhookSerializer(made).data, status=201)


class WebhookDetail(View):
    @extend_schema(responses=WebhookSerializer)
    def get(self, request: Request, webhook_id: str) -> Response:
        return Response(WebhookSerializer(webhook_for(request, webhook_id)).data)

    @extend_schema(request=ChangedWebhookSerializer(partial=True), responses=WebhookSerializer)
    def patch(self, request: Request, webhook_id: str) -> Response:
        row = webhook_for(request, webhook_id)
        given = read(ChangedWebhookSerializer, request, partial=True)
        Webhook.objects.filter(pk=row.pk).update(**given, reason="", rests_until=None)
        row.refresh_from_db()
        return Response(WebhookSerializer(row).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, webhook_id: str) -> Response:
        webhook_for(request, webhook_id).delete()
        return Response(status=204)


class WebhookPing(View):
    """Sends an event of no meaning, to see whether the address can be reached."""

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, webhook_id: str) -> Response:
        made = notifying.ping(webhook=webhook_for(request, webhook_id))
        made.refresh_from_db()
        return Response(DeliverySerializer(made).data, status=202)


class DeliveryList(View):
    """What was sent, the latest first."""

    @extend_schema(operation_id="deliveries_list", responses=DeliverySerializer(many=True))
    def get(self, request: Request, webhook_id: str) -> Response:
        rows = webhook_for(request, webhook_id).deliveries.all()
        return paged(self, rows, lambda row: DeliverySerializer(row).data, ordering="-created_at")


class DeliveryReplay(View):
    """Sends an ended delivery once more, under the same id."""

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        row = get_or_404(webhook_for(request, webhook_id).deliveries.all(), delivery_id)
        notifying.replay(delivery=row)
        row.refresh_from_db()
        return Response(DeliverySerializer(row).data, status=202)


def webhook_for(request: Request, webhook_id: str) -> Webhook:
    row = get_or_404(visible(Webhook.objects.select_related("project"), request.user), webhook_id)
    require(request.user, row.project, Capability.RUN)
    return row
