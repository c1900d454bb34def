"""How every address describes itself: what it answers when all is well, and the problem document when it is not."""

from __future__ import annotations

import inspect
from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class ErrorSerializer(serializers.Serializer):
    """One thing that is wrong, and where in the body (a JSON pointer, RFC 6901)."""

    pointer = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """Why a request was not answered (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = ErrorSerializer(many=True)


class Schema(AutoSchema):
    """Adds the problem document, which every address may answer."""

    def get_description(self) -> str:
        """What the view or its method says of itself: not what its base class says of all."""
        own = [getattr(self.view, self.method.lower(), None), type(self.view)]
        return next((inspect.cleandoc(each.__doc__) for each in own if getattr(each, "__doc__", None)), "")

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        problem = self._get_response_for_code(ProblemSerializer, "default", ["application/problem+json"], direction)
        return {**bodies, "default": problem | {"description": "What went wrong"}}
