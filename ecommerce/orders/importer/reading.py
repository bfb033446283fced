"""A sales file as documents: sales, credit notes, odd lines, and what could not be read."""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ecommerce.orders.importer import dialects, values
from ecommerce.orders.importer.dialects import Dialect
from ecommerce.orders.importer.refusals import UnreadableFile
from platform_site.common.money import ZERO

CREDIT_NOTE = "C"
MAX_CODE = 64


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, read."""

    number: int  # in the file; the header is 1
    invoice: str
    code: str
    description: str
    quantity: int
    at: datetime
    price: Decimal
    customer: str
    country: str

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity

    def raw(self) -> dict[str, object]:
        """For the report and the kept document."""
        return {
            "line": self.number,
            "code": self.code,
            "description": self.description,
            "quantity": self.quantity,
            "price": str(self.price),
        }


@dataclass(slots=True)
class FileDocument:
    """The lines of the file that share an invoice number."""

    number: str
    lines: list[Line] = field(default_factory=list)

    @property
    def at(self) -> datetime:
        return min(line.at for line in self.lines)

    @property
    def customer(self) -> str:
        return self.lines[0].customer

    @property
    def country(self) -> str:
        return self.lines[0].country

    @property
    def total(self) -> Decimal:
        return sum((line.total for line in self.lines), ZERO)


@dataclass
class SalesFile:
    """What a file holds. `refused`: invoices with a line that cannot be read; none of it counts."""

    name: str
    sha256: str
    dialect: Dialect
    sales: list[FileDocument] = field(default_factory=list)
    credit_notes: list[FileDocument] = field(default_factory=list)
    odd: list[FileDocument] = field(default_factory=list)
    refused: dict[str, list[dict[str, object]]] = field(default_factory=dict)


def read(path: Path, *, date_order: str = "") -> SalesFile:
    """Read a file whole. Raises UnreadableFile, AmbiguousFile; then nothing is imported."""
    text, encoding = dialects.read_text(path)
    header_line = text.split("\n", 1)[0].strip("\r")
    delimiter = dialects.delimiter_of(header_line)
    columns = dialects.header_of(header_line, delimiter)
    try:
        table = list(_cells(text, delimiter, columns))
    except csv.Error as error:
        raise UnreadableFile(f"{path.name} is no table: {error}.") from error
    if not table:
        raise UnreadableFile(f"{path.name} has no lines below its header.")
    dialect = Dialect(
        encoding=encoding,
        delimiter=delimiter,
        decimal=dialects.decimal_of(row["price"] for _, row in table),
        date_order=date_order or dialects.date_order_of([row["date"] for _, row in table]),
    )
    file = SalesFile(path.name, hashlib.sha256(text.encode()).hexdigest(), dialect)
    _sort(table, file)
    return file


def _cells(
    text: str, delimiter: str, columns: dict[str, int]
) -> Iterator[tuple[int, dict[str, str]]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    next(rows)
    for row in rows:
        if any(cell.strip() for cell in row):
            yield (
                rows.line_num,
                {
                    name: row[place].strip() if place < len(row) else ""
                    for name, place in columns.items()
                },
            )


def _sort(table: list[tuple[int, dict[str, str]]], file: SalesFile) -> None:
    documents: dict[str, FileDocument] = {}
    for number, row in table:
        try:
            line = _line(number, row, file.dialect)
        except values.BadValue as problem:
            reason = {"line": number, "reason": f"{problem}."}
            file.refused.setdefault(row["invoice"] or f"line {number}", []).append(reason)
            continue
        documents.setdefault(line.invoice, FileDocument(line.invoice)).lines.append(line)
    for document in documents.values():
        if document.number in file.refused:
            continue
        if document.number.upper().startswith(CREDIT_NOTE):
            file.credit_notes.append(document)
        else:
            _sort_lines(document, file)


def _sort_lines(document: FileDocument, file: SalesFile) -> None:
    sold = [line for line in document.lines if line.quantity > 0 and line.price > 0]
    odd = [line for line in document.lines if line.quantity <= 0 or line.price <= 0]
    if sold:
        file.sales.append(FileDocument(document.number, sold))
    if odd:
        file.odd.append(FileDocument(document.number, odd))


def _line(number: int, row: dict[str, str], dialect: Dialect) -> Line:
    if not row["invoice"] or not row["code"]:
        raise values.BadValue("there is no invoice number or stock code")
    if len(row["code"]) > MAX_CODE or len(row["invoice"]) > MAX_CODE:
        raise values.BadValue(f"invoice number and stock code have at most {MAX_CODE} characters")
    return Line(
        number=number,
        invoice=row["invoice"],
        code=row["code"],
        description=row.get("description", "")[:255],
        quantity=values.units_of(row["quantity"]),
        at=values.instant_of(row["date"], dialect),
        price=values.amount_of(row["price"], dialect),
        customer=values.reference_of(row.get("customer", "")),
        country=row.get("country", "")[:80],
    )
