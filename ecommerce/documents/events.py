"""What can happen to documents, and the facts that each event carries."""

DOCUMENT_ISSUED = "document.issued"  # kind, number, subject, order_number
DOCUMENT_RENDERED = "document.rendered"  # kind, number, subject, order_number, sha256
DOCUMENT_CREDITED = "document.credited"  # number, credit_note, subject, order_number
