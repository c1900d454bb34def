"""Members, invitations, tokens and registration."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import joining, tokens
from annotation import serializers as s
from annotation.access import Capability, require_role
from annotation.answering import get_or_404, paged
from annotation.api.rows import project_for, read
from annotation.api_base import View
from annotation.errors import Invalid
from annotation.models import ApiToken, Invite, Member, Project, User


class MemberList(View):
    """Who works on a project, and as what."""

    @extend_schema(operation_id="members_list", responses=s.MemberSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        rows = Member.objects.filter(project=project).select_related("user")
        return paged(self, rows, lambda row: s.MemberSerializer(row).data, ordering="created_at")

    @extend_schema(request=s.NewMemberSerializer, responses={201: s.MemberSerializer, 200: s.MemberSerializer})
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        given = read(s.NewMemberSerializer, request)
        user = User.objects.filter(Q(pk=given["user"]) | Q(username=given["user"]), is_active=True).first()
        if user is None:
            raise Invalid.at("/user", "is nobody whom we know")
        member, is_new = joining.add_member(project=project, user=user, role=given["role"])
        member.refresh_from_db()
        return Response(s.MemberSerializer(member).data, status=201 if is_new else 200)


class MemberDetail(View):
    @extend_schema(responses=s.MemberSerializer)
    def get(self, request: Request, project_id: str, user_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        return Response(s.MemberSerializer(_member(project, user_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: str, user_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        joining.show_out(member=_member(project, user_id))
        return Response(status=204)


def _member(project: Project, user_id: str) -> Member:
    user = get_or_404(User.objects.filter(memberships__project=project), user_id)
    return Member.objects.select_related("user").get(project=project, user=user)


class InviteList(View):
    """Links that make whoever opens them a member."""

    @extend_schema(operation_id="invites_list", responses=s.InviteSerializer(many=True))
    def get(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        rows = Invite.objects.filter(project=project)
        return paged(self, rows, lambda row: s.InviteSerializer(row).data, ordering="created_at")

    @extend_schema(request=s.NewInviteSerializer, responses={201: s.MadeInviteSerializer})
    def post(self, request: Request, project_id: str) -> Response:
        project = project_for(request, project_id, Capability.PEOPLE)
        made, secret = joining.invite(project=project, by=request.user, **read(s.NewInviteSerializer, request))
        path = f"/invites/{secret}/"
        url = f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)
        return Response(s.InviteSerializer(made).data | {"url": url, "secret": secret}, status=201)


class InviteDetail(View):
    @extend_schema(responses=s.InviteSerializer)
    def get(self, request: Request, project_id: str, invite_id: str) -> Response:
        return Response(s.InviteSerializer(self._row(request, project_id, invite_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: str, invite_id: str) -> Response:
        self._row(request, project_id, invite_id).delete()
        return Response(status=204)

    def _row(self, request: Request, project_id: str, invite_id: str) -> Invite:
        project = project_for(request, project_id, Capability.PEOPLE)
        return get_or_404(Invite.objects.filter(project=project), invite_id)


class AcceptInvite(View):
    @extend_schema(request=None, responses=s.MembershipSerializer)
    def post(self, request: Request, secret: str) -> Response:
        member = joining.accept_invite(secret=secret, user=request.user)
        member.refresh_from_db()
        return Response(s.MembershipSerializer(member).data)


class TokenList(View):
    """One's own API tokens."""

    @extend_schema(operation_id="tokens_list", responses=s.TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        require_role(request.user, Capability.RUN)
        rows = ApiToken.objects.filter(user=request.user, revoked_at=None)
        return paged(self, rows, lambda row: s.TokenSerializer(row).data, ordering="created_at")

    @extend_schema(request=s.NewTokenSerializer, responses={201: s.MadeTokenSerializer})
    def post(self, request: Request) -> Response:
        made, key = joining.make_token(user=request.user, **read(s.NewTokenSerializer, request))
        return Response(s.TokenSerializer(made).data | {"key": key}, status=201)


class TokenDetail(View):
    @extend_schema(responses=s.TokenSerializer)
    def get(self, request: Request, token_id: str) -> Response:
        return Response(s.TokenSerializer(self._row(request, token_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, token_id: str) -> Response:
        joining.revoke_token(token=self._row(request, token_id))
        return Response(status=204)

    def _row(self, request: Request, token_id: str) -> ApiToken:
        require_role(request.user, Capability.RUN)
        return get_or_404(ApiToken.objects.filter(user=request.user, revoked_at=None), token_id)


class Registration(View):
    """A new worker registers, where the site is open for it."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    @extend_schema(request=s.RegistrationSerializer, responses={201: s.RegisteredSerializer}, auth=[])
    def post(self, request: Request) -> Response:
        user = joining.register(**read(s.RegistrationSerializer, request))
        body = {"id": user.pk, "name": user.username, "role": user.role, "token": tokens.issue(user=user)}
        return Response(body, status=201)
