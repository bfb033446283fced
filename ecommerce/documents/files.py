"""The files of documents: written whole or not at all, checked when they are read."""

import hashlib
import os
import re
from pathlib import Path

from django.conf import settings

from ecommerce.documents import pdf
from ecommerce.documents.models import Document
from platform_site.common.errors import Refusal


class FileDiffers(Refusal):
    """The file of a document is not the one that was rendered."""

    code = "file_differs"


def file_name(document: Document) -> str:
    """Where a document's file lies inside the folder of documents."""
    return f"{document.issued_at.year}/{re.sub(r'[^A-Za-z0-9-]+', '-', document.number)}.pdf"


def write(document: Document) -> tuple[str, str]:
    """Render the document into its file; returns path and SHA-256. The same again does no harm."""
    content = pdf.rendered(document)
    name = file_name(document)
    target = Path(settings.DOCUMENTS) / name
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    return name, hashlib.sha256(content).hexdigest()


def read(document: Document) -> bytes:
    """The PDF: the file, or rendered anew while there is none. Raises FileDiffers."""
    path = Path(settings.DOCUMENTS) / document.path
    content = path.read_bytes() if document.path and path.is_file() else pdf.rendered(document)
    if document.sha256 and hashlib.sha256(content).hexdigest() != document.sha256:
        raise FileDiffers(f"The file of {document} was changed after it was rendered.")
    return content
