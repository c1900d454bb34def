"""The shape of labels and policies in the OpenAPI schema. What is read is checked in `core`, not by these."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotation.core.languages import MOST_LANGUAGES, TAG
from annotation.core.ontology import SHAPES
from annotation.core.values import ID_LENGTH
from annotation.defining import NAME_LENGTH
from crowd.core.policies import CLIP_QUALITIES, MOST_MICROS
from crowd.qualification_serializers import QualificationRulesSerializer

ONE_LINE = r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"
LANGUAGE = f"^{TAG}$"
QUORUM = r"^\d{1,6}(/\d{1,6}|\.\d{1,6})?$"


@extend_schema_field({"type": "string", "pattern": ONE_LINE, "maxLength": ID_LENGTH})
class NameField(serializers.CharField):
    """A text on one line that neither begins nor ends with blanks."""


@extend_schema_field({"type": "string", "pattern": ONE_LINE, "maxLength": NAME_LENGTH})
class ProjectNameField(NameField):
    """A longer one."""


@extend_schema_field(
    {"oneOf": [{"type": "string", "pattern": QUORUM}, {"type": "number", "minimum": 0.005, "maximum": 1}]}
)
class QuorumField(serializers.CharField):
    """A share of the workers as a fraction, or as a number."""


class AttributeSerializer(serializers.Serializer):
    name = NameField()
    kind = serializers.ChoiceField(choices=["select", "number", "text", "boolean"])
    values = serializers.ListField(required=False, allow_null=True)
    mutable = serializers.BooleanField(required=False)
    default = serializers.JSONField(required=False)


class LabelSerializer(serializers.Serializer):
    name = NameField()
    shape = serializers.ChoiceField(choices=SHAPES, required=False)
    color = serializers.RegexField("^#[0-9a-fA-F]{6}$", required=False, allow_null=True)
    attributes = AttributeSerializer(many=True, required=False, allow_null=True)


class PolicySerializer(serializers.Serializer):
    """How work is cut, given out, judged and paid; what is left out has its default."""

    open = serializers.BooleanField(required=False)
    segment_frames = serializers.IntegerField(required=False, min_value=1, max_value=100_000)
    overlap_frames = serializers.IntegerField(required=False, min_value=0, max_value=100_000)
    redundancy = serializers.IntegerField(required=False, min_value=1, max_value=100)
    max_redundancy = serializers.IntegerField(required=False, min_value=1, max_value=100)
    adaptive = serializers.BooleanField(required=False)
    quorum = QuorumField(required=False)
    iou_floor = serializers.FloatField(required=False, min_value=0, max_value=1)
    agreement_floor = serializers.FloatField(required=False, min_value=0, max_value=1)
    gain_floor = serializers.FloatField(required=False, min_value=0, max_value=1)
    gold_share = serializers.FloatField(required=False, min_value=0, max_value=1)
    gold_floor = serializers.FloatField(required=False, min_value=0, max_value=1)
    lease_s = serializers.IntegerField(required=False, min_value=1, max_value=30 * 86_400)
    max_renewals = serializers.IntegerField(required=False, min_value=0, max_value=1000)
    max_held = serializers.IntegerField(required=False, min_value=1, max_value=100)
    reward_micros = serializers.IntegerField(required=False, min_value=0, max_value=MOST_MICROS)
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)
    budget_micros = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=MOST_MICROS)
    qualification = QualificationRulesSerializer(required=False, allow_null=True)
    languages = serializers.ListField(child=serializers.RegexField(LANGUAGE), required=False, max_length=MOST_LANGUAGES)
    min_skill = serializers.FloatField(required=False, min_value=0, max_value=1)
    max_tasks_per_worker = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=10**9)
    max_tasks_per_day = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=10**9)
    gold_exposures = serializers.IntegerField(required=False, min_value=1, max_value=10**9)
    frame_step = serializers.IntegerField(required=False, min_value=1, max_value=100_000)
    ghosts = serializers.BooleanField(required=False)
    clip_quality = serializers.ChoiceField(choices=CLIP_QUALITIES, required=False)
