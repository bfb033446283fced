"""Invoices and credit notes as PDF, from their snapshot alone: the same paper has the same bytes.

DejaVu Sans is embedded: Latin, Greek and Cyrillic are printed, Chinese and Japanese are not in it.
"""

import io
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from ecommerce.documents import words
from ecommerce.documents.models import Document

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
INK, PALE, LINE, ACCENT = (HexColor(c) for c in ("#1f2937", "#6b7280", "#d1d5db", "#1d4ed8"))
MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
FOOTER = 16 * mm
COLUMNS = [22 * mm, WIDTH - 100 * mm, 17 * mm, 22 * mm, 15 * mm, 24 * mm]
TITLES = {Document.Kind.INVOICE: "Invoice", Document.Kind.CREDIT_NOTE: "Credit note"}

_one_at_a_time = threading.Lock()  # reportlab keeps the subsets of a font in the font itself


def rendered(document: Document) -> bytes:
    """The PDF of an issued document."""
    with _one_at_a_time:
        _register_fonts()
        target = io.BytesIO()
        paper = BaseDocTemplate(
            target,
            pagesize=A4,
            leftMargin=MARGIN,
            rightMargin=MARGIN,
            topMargin=MARGIN,
            bottomMargin=MARGIN + FOOTER,
            title=f"{TITLES[Document.Kind(document.kind)]} {document.number}",
            author=_seller(document).get("company") or _seller(document).get("name") or "",
            invariant=1,
        )
        frame = Frame(
            MARGIN,
            MARGIN + FOOTER,
            WIDTH,
            A4[1] - 2 * MARGIN - FOOTER,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        paper.addPageTemplates([PageTemplate(frames=[frame])])
        paper.build(_story(document), canvasmaker=_canvas_of(document))
        return target.getvalue()


def _register_fonts() -> None:
    for name in (REGULAR, BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))


def _style(name: str, **kwargs: Any) -> ParagraphStyle:
    base = {"fontName": REGULAR, "fontSize": 8.5, "leading": 12, "textColor": INK}
    return ParagraphStyle(name, **{**base, **kwargs})


TEXT = _style("text")
SMALL = _style("small", fontSize=7, leading=9, textColor=PALE)
HEADING = _style(
    "heading", fontName=BOLD, fontSize=22, leading=26, spaceAfter=3 * mm, textColor=ACCENT
)
SELLER = _style("seller", fontName=BOLD, fontSize=12, leading=16, alignment=TA_RIGHT)
SELLER_TEXT = _style("seller_text", fontSize=7.5, leading=10, textColor=PALE, alignment=TA_RIGHT)


def _story(document: Document) -> list[Flowable]:
    snapshot = document.snapshot
    story: list[Flowable] = [
        _head(document),
        Spacer(1, 9 * mm),
        _parties(snapshot),
        Spacer(1, 8 * mm),
        _lines(snapshot),
        Spacer(1, 3 * mm),
        KeepTogether([_totals(snapshot)]),
    ]
    if snapshot.get("notes"):
        story += [Spacer(1, 6 * mm), Paragraph(escape(str(snapshot["notes"])), TEXT)]
    return story


def _head(document: Document) -> Flowable:
    snapshot, seller = document.snapshot, _seller(document)
    facts = [
        ("Number", document.number),
        ("Date", words.day(document.issued_at)),
        ("Order", snapshot.get("order_number", "")),
        ("Ordered", words.day(snapshot.get("order_date", ""))),
    ]
    if document.refers is not None:
        facts.insert(1, ("For invoice", document.refers.number))
    rows = "<br/>".join(
        f'<font color="#6b7280">{label}</font>&nbsp;&nbsp;{escape(str(value))}'
        for label, value in facts
        if value
    )
    left = [Paragraph(TITLES[Document.Kind(document.kind)], HEADING), Paragraph(rows, TEXT)]
    name = seller.get("company") or seller.get("name") or ""
    right = [
        Paragraph(escape(str(name)), SELLER),
        Paragraph("<br/>".join(words.address_lines(seller, without_name=True)), SELLER_TEXT),
    ]
    return Table([[left, right]], colWidths=[WIDTH / 2, WIDTH / 2], style=_PLAIN)


def _parties(snapshot: dict[str, Any]) -> Flowable:
    blocks = [("Bill to", snapshot.get("bill_to")), ("Ship to", snapshot.get("ship_to"))]
    cells = [
        [
            Paragraph(label.upper(), SMALL),
            Paragraph("<br/>".join(words.address_lines(address)), TEXT),
        ]
        if address
        else ""
        for label, address in blocks
    ]
    return Table([cells], colWidths=[WIDTH / 2, WIDTH / 2], style=_PLAIN)


def _lines(snapshot: dict[str, Any]) -> Flowable:
    rows: list[list[Any]] = [["SKU", "Description", "Quantity", "Unit price", "Tax", "Amount"]]
    rows += [
        [
            _fitted(line["sku"], COLUMNS[0]),
            _fitted(words.described(line, snapshot["currency"]), COLUMNS[1]),
            f"{line['quantity']:,}",
            words.amount(line["unit_price"]),
            words.percent(line.get("tax_rate")),
            words.amount(line["total"]),
        ]
        for line in snapshot["lines"]
    ]
    return LongTable(
        rows,
        colWidths=COLUMNS,
        repeatRows=1,
        style=[
            ("FONT", (0, 0), (-1, -1), REGULAR, 8, 10),
            ("FONT", (0, 0), (-1, 0), BOLD, 7.5, 10),
            ("TEXTCOLOR", (0, 0), (-1, -1), INK),
            ("ALIGN", (2, 0), (-1, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ("LINEBELOW", (0, 0), (-1, 0), 1, ACCENT),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, LINE),
        ],
    )


def _totals(snapshot: dict[str, Any]) -> Flowable:
    labels = [
        ("subtotal", "Subtotal"),
        ("discount", "Discount"),
        ("shipping_cost", "Shipping"),
        ("tax", "Tax"),
    ]
    rows = [
        [label, words.amount(snapshot[key])]
        for key, label in labels
        if key == "subtotal" or Decimal(snapshot.get(key) or 0)
    ]
    rows.append([f"Total {snapshot['currency']}", words.amount(snapshot["total"])])
    total = len(rows) - 1
    if snapshot.get("paid") is not None:
        by = f" ({snapshot['payment']})" if snapshot.get("payment") else ""
        rows.append([f"Paid{by}", words.amount(snapshot["paid"])])
    return Table(
        rows,
        colWidths=[60 * mm, 30 * mm],
        hAlign="RIGHT",
        style=[
            ("FONT", (0, 0), (-1, -1), REGULAR, 8.5, 11),
            ("FONT", (0, total), (-1, total), BOLD, 10.5, 14),
            ("TEXTCOLOR", (0, 0), (-1, -1), INK),
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("LINEABOVE", (0, total), (-1, total), 1, ACCENT),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ],
    )


_PLAIN = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
]


def _canvas_of(document: Document) -> type[Canvas]:
    seller = _seller(document)
    tax_id = f"Tax number {seller['tax_id']}" if seller.get("tax_id") else ""
    name = seller.get("company") or seller.get("name") or ""
    imprint = "  ·  ".join(filter(None, (name, tax_id, seller.get("email"))))

    class Paged(Canvas):
        """Writes the footer of each page last, when the number of pages is known."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 (reportlab's name)
            self.pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self.pages, start=1):
                self.__dict__.update(page)
                self.setStrokeColor(LINE)
                self.line(MARGIN, MARGIN + 8 * mm, MARGIN + WIDTH, MARGIN + 8 * mm)
                self.setFont(REGULAR, 7)
                self.setFillColor(PALE)
                self.drawString(MARGIN, MARGIN + 3 * mm, imprint)
                count = f"{document.number}  ·  page {number} of {len(self.pages)}"
                self.drawRightString(MARGIN + WIDTH, MARGIN + 3 * mm, count)
                super().showPage()
            super().save()

    return Paged


def _seller(document: Document) -> dict[str, Any]:
    seller: dict[str, Any] = document.snapshot["seller"]
    return seller


def _fitted(text: str, width: float) -> Any:
    """Text as it is where it fits into one line: a paragraph costs ten times as much."""
    if stringWidth(text, REGULAR, 8) <= width - 14:
        return text
    return Paragraph(escape(text), _style("cell", fontSize=8, leading=10, splitLongWords=1))
