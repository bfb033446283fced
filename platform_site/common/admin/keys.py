"""API keys in the console: issued with the secret shown once, revoked, never edited."""

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from platform_site.common.admin.actions import service_action
from platform_site.common.admin.base import ReadOnlyAdmin
from platform_site.common.admin.callers import caller_of
from platform_site.common.admin.columns import ago, mono, status_chip
from platform_site.common.admin.forms import Dialog, choice_field, text_field
from platform_site.common.keys import key_issue, key_revoke
from platform_site.common.models import ApiKey

AGENT, SERVICE, SELF = "agent", "service", "self"


class KeyIssueDialog(Dialog):
    """For whom a key is: an agent, a program without an agent, or the person who asks."""

    name = text_field("Name", max_length=120, help_text="What the key is for.")
    kind = choice_field(
        "Acts as",
        [
            (SERVICE, "a program (role api_user)"),
            (AGENT, "one agent, by its id"),
            (SELF, "me, with my rights"),
        ],
    )
    agent_id = text_field(
        "Agent id", required=False, help_text="Only for an agent; its older keys end at once."
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        wants_agent = cleaned.get("kind") == AGENT
        if wants_agent and not cleaned.get("agent_id"):
            self.add_error("agent_id", "Say for which agent the key is.")
        if not wants_agent and cleaned.get("agent_id"):
            self.add_error("agent_id", "Only a key for an agent has an agent id.")
        return cleaned

    @property
    def arguments(self) -> dict[str, Any]:
        fields = {"name": self.cleaned_data["name"], "agent_id": self.cleaned_data["agent_id"]}
        if self.cleaned_data["kind"] == SELF:
            fields["owner"] = caller_of(self.request).user
        return fields


def _secret_once(issued: tuple[ApiKey, str]) -> SafeString:
    key, secret = issued
    return format_html(
        "<p><b>{}</b> was issued. Copy it now: it is stored as a digest and never shown again.</p>"
        '<p class="fd-secret fd-mono" id="issued-key">{}</p>',
        key.name,
        secret,
    )


def _state(key: ApiKey) -> SafeString | str:
    if key.revoked_at:
        return status_chip("revoked")
    if key.expires_at and key.expires_at <= timezone.now():
        return status_chip("expired")
    return status_chip("active")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Digests are never shown: the first characters are enough to recognise a key."""

    view_permission = "security:audit"
    title, icon, rank = "API keys", "key", 60
    list_display = (
        "name",
        mono("prefix"),
        "holder",
        "state",
        ago("last_used_at"),
        ago("expires_at"),
    )
    list_filter = ("role", "from_environment", "revoked_at")
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "agent_id", "owner__username")
    fields = (
        "name",
        "prefix",
        "holder",
        "state",
        "scopes",
        "agent_pattern",
        "made_by",
        "from_environment",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    actions = [
        service_action(
            key_issue,
            "Issue a key",
            form=KeyIssueDialog,
            icon="add",
            creates=True,
            show=_secret_once,
            effect="A new key that works for 365 days. Its secret is shown once.",
        ),
        service_action(
            key_revoke,
            "Revoke",
            danger=True,
            icon="block",
            when=lambda key: key.revoked_at is None,
            effect=lambda key: f"{key.prefix}… stops working at the next request. No undo.",
        ),
    ]

    @admin.display(description="acts as")
    def holder(self, key: ApiKey) -> str:
        if key.agent_id:
            return f"agent {key.agent_id}"
        return f"user {key.owner.get_username()}" if key.owner else f"service ({key.role})"

    @admin.display(description="state")
    def state(self, key: ApiKey) -> SafeString | str:
        return _state(key)
