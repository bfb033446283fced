"""Mail as files: one `.eml` for each key, so that a message is never sent twice."""

import hashlib
import os
import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from django.conf import settings

SENDER = "Fleetdesk <no-reply@fleetdesk.example>"
READABLE = 80


def deliver(*, key: str, to: str, subject: str, body: str, at: datetime) -> str:
    """Put the mail into the outbox and return its name there; put there before, that name.

    The key is the provider's idempotency key: whoever dies after this call may call it again.
    Raises ValueError for what is no mail address.
    """
    if "@" not in to:
        raise ValueError(f"{to} is no mail address.")
    folder: Path = settings.MAIL
    folder.mkdir(parents=True, exist_ok=True)
    name = file_name(key)
    draft = folder / f".{name}.{os.getpid()}.{os.urandom(4).hex()}"
    with draft.open("wb") as file:
        file.write(_mail(name, to, subject, body, at))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, folder / name)  # complete or not at all, and never over an older one
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return name


def file_name(key: str) -> str:
    """The key in letters that every file system takes, and a few of its hash against clashes."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", key).strip("-.")[:READABLE]
    return f"{readable}.{hashlib.sha256(key.encode()).hexdigest()[:12]}.eml"


def _mail(name: str, to: str, subject: str, body: str, at: datetime) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = SENDER
    mail["To"] = " ".join(to.split())
    mail["Subject"] = " ".join(subject.split())  # a line break would begin another header
    mail["Date"] = at
    mail["Message-ID"] = f"<{name.removesuffix('.eml')}@fleetdesk.example>"
    mail.set_content(body)
    return mail.as_bytes()
