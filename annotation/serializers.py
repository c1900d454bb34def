"""The bodies of the ground floor's addresses, read and written."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotation.core.values import text_problem
from annotation.ingesting import video_name_problem
from annotation.joining import DAY_S, PROJECT_ROLES
from annotation.lifecycle import UploadStatus, VideoStatus
from annotation.models import ApiToken, Invite, Member, Upload, Video
from annotation.receiving import upload_url

LONGEST = 10_000
ROLES = [(role.value, role.value) for role in PROJECT_ROLES]


class TextField(serializers.CharField):
    """A text, and nothing that could be read as one."""

    def to_internal_value(self, data: object) -> str:
        if problem := text_problem(data, LONGEST):
            raise serializers.ValidationError(problem)
        if not self.allow_blank and not str(data).strip():
            raise serializers.ValidationError("must not be blank")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """True or false, and nothing that could be read as one."""

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("must be true or false")
        return data


class NumberField(serializers.IntegerField):
    """A whole number, and nothing that could be read as one."""

    def to_internal_value(self, data: object) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError("must be a whole number")
        return super().to_internal_value(data)


class MemberSerializer(serializers.ModelSerializer):
    user = serializers.CharField(source="user_id")
    name = serializers.CharField(source="user.username")

    class Meta:
        model = Member
        fields = read_only_fields = ["user", "name", "role", "created_at"]


class NewMemberSerializer(serializers.Serializer):
    user = TextField(max_length=150, help_text="The user's id or name.")
    role = serializers.ChoiceField(ROLES)


class InviteSerializer(serializers.ModelSerializer):
    class Meta:
        model = Invite
        fields = read_only_fields = ["id", "role", "created_at", "expires_at"]


class NewInviteSerializer(serializers.Serializer):
    role = serializers.ChoiceField(ROLES, default="worker")
    expires_s = NumberField(min_value=60, max_value=90 * DAY_S, default=7 * DAY_S)


class MadeInviteSerializer(InviteSerializer):
    """An invitation with its link, which is told only once."""

    url = serializers.CharField()
    secret = serializers.CharField()

    class Meta(InviteSerializer.Meta):
        fields = read_only_fields = [*InviteSerializer.Meta.fields, "url", "secret"]


class MembershipSerializer(serializers.ModelSerializer):
    """What accepting an invitation made of the caller."""

    project = serializers.CharField(source="project_id")
    user = serializers.CharField(source="user_id")

    class Meta:
        model = Member
        fields = read_only_fields = ["project", "user", "role", "created_at"]


class TokenSerializer(serializers.ModelSerializer):
    """`last_used_at` is exact to five minutes, and null of a token that was never used."""

    class Meta:
        model = ApiToken
        fields = read_only_fields = ["id", "name", "created_at", "last_used_at"]


class NewTokenSerializer(serializers.Serializer):
    name = TextField(max_length=100, default="", allow_blank=True)


class MadeTokenSerializer(TokenSerializer):
    """A token with its key, which is told only once."""

    key = serializers.CharField()

    class Meta(TokenSerializer.Meta):
        fields = read_only_fields = [*TokenSerializer.Meta.fields, "key"]


class RegistrationSerializer(serializers.Serializer):
    name = TextField(max_length=150)
    password = TextField(max_length=500, trim_whitespace=False)


class RegisteredSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    token = serializers.CharField(help_text="For `Authorization: Token …`.")


class WarningSerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class VideoSerializer(serializers.ModelSerializer):
    """`settled_frames` of the `frame_count` were decoded once: their numbers never change again."""

    project = serializers.CharField(source="project_id")
    status = serializers.ChoiceField(VideoStatus.choices)
    warnings = WarningSerializer(many=True)

    class Meta:
        model = Video
        fields = read_only_fields = [
            "id",
            "project",
            "name",
            "status",
            "reason",
            "frame_count",
            "settled_frames",
            "width",
            "height",
            "fps",
            "duration_s",
            "variable_frame_rate",
            "warnings",
            "bytes",
            "sha256",
            "frame_map_sha256",
            "created_at",
        ]


# No slashes, not only dots, and all on one line: see `ingesting.video_name_problem`. Blanks around it are left out.
VIDEO_NAME = r"^(?!$)(?!\s*\.{1,2}\s*$)[\t\n\r ]*[^/\\\x00-\x1f\x7f\ufffe\uffff]*[\t\n\r ]*$"


@extend_schema_field({"type": "string", "pattern": VIDEO_NAME})
class VideoNameField(TextField):
    """A text of which a folder can be made."""


class NewVideoSerializer(serializers.Serializer):
    file = serializers.FileField()
    name = VideoNameField(required=False, allow_blank=True, max_length=200, help_text="Default: the file's own name.")

    def validate_name(self, name: str) -> str:
        if name and (problem := video_name_problem(name)):
            raise serializers.ValidationError(problem)
        return name


class UploadSerializer(serializers.ModelSerializer):
    """`offset` of `bytes` bytes are here. `video` is what became of it, once it is `done`."""

    project = serializers.CharField(source="project_id")
    status = serializers.ChoiceField(UploadStatus.choices)
    video = serializers.CharField(source="video_id", allow_null=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields = read_only_fields = [
            "id",
            "project",
            "name",
            "status",
            "reason",
            "bytes",
            "offset",
            "video",
            "url",
            "expires_at",
            "created_at",
        ]

    def get_url(self, upload: Upload) -> str:
        return upload_url(upload)


class FrameMapSerializer(serializers.Serializer):
    """`times[n] · time_base[0] / time_base[1]` is the presentation time of frame n in seconds, as `times_s[n]` is."""

    video = serializers.CharField()
    frame_count = serializers.IntegerField()
    settled_frames = serializers.IntegerField()
    time_base = serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2)
    times = serializers.ListField(child=serializers.IntegerField())
    times_s = serializers.ListField(child=serializers.FloatField())
    undecodable = serializers.ListField(child=serializers.IntegerField())
    sha256 = serializers.CharField()
