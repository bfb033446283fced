"""The documents agent: makes the files of issued documents."""

from typing import Any

from ecommerce.documents import files, services
from ecommerce.documents.models import Document
from tasks.handlers import job


@job("system.render")
def render(payload: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Render an issued document into its file; once more gives the same bytes."""
    document = Document.objects.select_related("refers").get(pk=payload["document_id"])
    path, sha256 = files.write(document)
    services.document_rendered(document, path=path, sha256=sha256, actor=actor)
    return {"number": document.number, "path": path, "sha256": sha256}
