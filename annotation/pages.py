"""Pages that everybody has: the way in, the way out, and the way to one's own work."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy

from annotation import access
from annotation.access import Capability
from annotation.guarding import GuardedForm
from annotation.lifecycle import DeliveryStatus, Event, Role
from annotation.models import ApiToken, Delivery, Project, Webhook

#: Where each role's work is.
HOMES = {
    Role.WORKER: "work",
    Role.REVIEWER: "review",
    Role.CLIENT: "projects",
    Role.MANAGER: "projects",
    Role.ADMIN: "projects",
}

#: Rows on a page of a list.
TOKENS, WEBHOOKS, DELIVERIES = 50, 20, 20


def one_page(request: HttpRequest, rows: QuerySet[Any], *, size: int, name: str = "page") -> Page:
    """A page of a list, whose number the query tells as `name`; beyond the list it is the last one."""
    return Paginator(rows, size).get_page(request.GET.get(name))


def project_of(request: HttpRequest, project_id: str, needed: Capability) -> Project:
    """A project in which the caller may do what is needed; for anybody else it is not there."""
    project = get_object_or_404(access.visible_projects(request.user), pk=project_id)
    if needed not in access.capabilities_in(request.user, project):
        raise Http404
    return project


class SignIn(LoginView):
    form_class = GuardedForm
    redirect_authenticated_user = True
    extra_context = {"open_registration": settings.OPEN_REGISTRATION}


class ChangePassword(SuccessMessageMixin, PasswordChangeView):
    """Every other browser that is logged in as this person is asked for the new one."""

    template_name = "registration/password.html"
    success_url = reverse_lazy("password")
    success_message = "Your password is changed. Wherever else you were logged in, log in anew."

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(**more, may_have_tokens=access.may(self.request.user, Capability.RUN))


@login_required
def api_tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens for programs. A key is on no page but the one that made it."""
    if not access.may(request.user, Capability.RUN):
        raise Http404
    rows = ApiToken.objects.filter(user=request.user, revoked_at=None).order_by("-created_at", "pk")
    return render(request, "registration/tokens.html", {"tokens": one_page(request, rows, size=TOKENS)})


@login_required
def home(request: HttpRequest) -> HttpResponse:
    return redirect(HOMES[request.user.role])


@login_required
def webhooks(request: HttpRequest, project_id: str) -> HttpResponse:
    """The addresses that are told of a project, and what was sent to one of them."""
    project = project_of(request, project_id, Capability.RUN)
    return render(request, "projects/webhooks.html", _told(request, project))


def _told(request: HttpRequest, project: Project) -> dict[str, Any]:
    hooks = Webhook.objects.filter(project=project).order_by("-created_at", "pk")
    of = request.GET.get("of", "").replace("\0", "")
    sent = Delivery.objects.filter(webhook__project=project, webhook=of).order_by("-created_at", "pk")
    deliveries = one_page(request, sent, size=DELIVERIES, name="sent")
    return {
        "project": project,
        "hooks": one_page(request, hooks, size=WEBHOOKS),
        "events": [event.value for event in Event if event != Event.PING],
        "chosen": hooks.filter(pk=of).first(),
        "deliveries": deliveries,
        "waiting": any(row.status == DeliveryStatus.WAITING for row in deliveries),
    }


def register(request: HttpRequest) -> HttpResponse:
    if not settings.OPEN_REGISTRATION:
        raise Http404
    return render(request, "registration/register.html")


@login_required
def invite(request: HttpRequest, secret: str) -> HttpResponse:
    """Opening a link changes nothing; the button on the page does."""
    return render(request, "registration/invite.html", {"secret": secret})
