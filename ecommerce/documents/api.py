"""Documents in the Commerce API: what was issued, and its file."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from ecommerce.documents import files
from ecommerce.documents.models import Document
from platform_site.common.api import ReadViewSet, commerce
from platform_site.common.errors import Forbidden


class DocumentSerializer(serializers.ModelSerializer[Document]):
    """An issued document without its snapshot, which names people."""

    class Meta:
        model = Document
        fields = (
            "id",
            "document_type",
            "number",
            "status",
            "subject",
            "order_number",
            "sha256",
            "url",
            "refers_id",
            "issued_at",
            "created_at",
            "updated_at",
        )

    document_type = serializers.CharField(source="kind")
    url = serializers.SerializerMethodField()

    def get_url(self, document: Document) -> str:
        return f"/api/documents/{document.pk}/pdf"


class DocumentViewSet(ReadViewSet):
    """`/api/documents`"""

    plural = "documents"
    queryset = Document.objects.defer("snapshot")
    serializer_class = DocumentSerializer
    not_found = "Document not found"
    access = {
        "list": "documents:view",
        "retrieve": "documents:view",
        "pdf": "customer:personal",
    }

    def find(self, key: str) -> Any:
        return super().find(key) or self.get_queryset().filter(number__iexact=key).first()

    def filtered(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        query = self.request.query_params
        columns = {"order_number": "order_number", "document_type": "kind", "status": "status"}
        wanted = {column: query[name] for name, column in columns.items() if query.get(name)}
        return rows.filter(**wanted)

    @action(detail=True, methods=["get"])
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """The file; it names a person, so `documents:view` alone does not do."""
        if not self.may("documents:view"):
            raise Forbidden("This needs the permission documents:view.", required="documents:view")
        document = self.get_object()
        answer = HttpResponse(files.read(document), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{document.number}.pdf"'
        return answer


commerce.register("documents", DocumentViewSet)
