"""The dialects of sales files, and those that are refused: read without a database."""

from decimal import Decimal
from pathlib import Path

import pytest

from ecommerce.orders.importer.reading import read
from ecommerce.orders.importer.refusals import AmbiguousFile, UnreadableFile

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
REAL = Path(__file__).parent.parent / "data" / "online_retail_2010-12.csv"


def write(tmp_path, *lines: str, encoding: str = "utf-8", header: str = HEADER) -> Path:
    path = tmp_path / "sales.csv"
    path.write_bytes("\r\n".join([header, *lines, ""]).encode(encoding))
    return path


def test_the_real_file_holds_what_its_readme_says():
    file = read(REAL)

    assert len(file.sales) == 269
    assert sum(len(sale.lines) for sale in file.sales) == 5135
    assert sum(sale.total for sale in file.sales) == Decimal("106709.17")
    assert sum(line.quantity for sale in file.sales for line in sale.lines) == 58248
    assert len(file.credit_notes) == 29
    assert sum(note.total for note in file.credit_notes) == Decimal("-1866.33")
    assert sum(len(document.lines) for document in file.odd) == 12
    assert file.refused == {}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_separators_and_encodings(tmp_path, delimiter, encoding):
    line = delimiter.join(["1", "A", "CAFÉ", "2", "2010-12-01 08:26", "2.55", "17850", "France"])
    header = HEADER.replace(",", delimiter)

    file = read(write(tmp_path, line, encoding=encoding, header=header))

    (sale,) = file.sales
    assert sale.lines[0].description == "CAFÉ"
    assert sale.total == Decimal("5.10")
    assert sale.at.isoformat() == "2010-12-01T08:26:00+00:00"


def test_a_decimal_comma_and_european_dates(tmp_path):
    header = HEADER.replace(",", ";")
    first = "1;A;TIN;2;1/12/2010 8:26;2,55;17850;EIRE"
    second = "2;A;TIN;2;13/12/2010 8:26;1.234,50;17850;EIRE"

    file = read(write(tmp_path, first, second, header=header))

    assert file.dialect.described() == {
        "encoding": "utf-8",
        "delimiter": "semicolon",
        "decimal": "comma",
        "dates": "DMY",
    }
    assert [sale.total for sale in file.sales] == [Decimal("5.10"), Decimal("2469.00")]
    assert file.sales[0].at.isoformat() == "2010-12-01T08:26:00+00:00"


def test_american_dates_are_seen_by_a_day_over_twelve(tmp_path):
    file = read(write(tmp_path, "1,A,TIN,2,12/13/2010 8:26,2.55,17850,France"))

    assert file.dialect.date_order == "MDY"


def test_ambiguous_dates_are_refused_and_the_option_decides(tmp_path):
    path = write(tmp_path, "1,A,TIN,2,1/12/2010 8:26,2.55,17850,France")

    with pytest.raises(AmbiguousFile, match="--date-format DMY"):
        read(path)

    assert read(path, date_order="DMY").sales[0].at.month == 12
    assert read(path, date_order="MDY").sales[0].at.month == 1


def test_two_decimal_signs_in_one_file_are_refused(tmp_path):
    lines = [f"1;A;TIN;2;2010-12-01 8:26;{price};17850;France" for price in ("2,55", "2.55")]

    with pytest.raises(AmbiguousFile, match="decimal comma"):
        read(write(tmp_path, *lines, header=HEADER.replace(",", ";")))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "names no column"), (b"PK\x03\x04\0\0", "no text file"), (b"a,b,c\n1,2,3\n", "invoice")],
)
def test_what_is_no_sales_file_is_refused_in_words(tmp_path, content, words):
    path = tmp_path / "other.csv"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile, match=words):
        read(path)


def test_one_unreadable_line_refuses_its_whole_invoice_and_no_other(tmp_path):
    lines = [
        "1,A,TIN,2,2010-12-01 8:26,2.55,17850,France",
        "1,B,MUG,many,2010-12-01 8:26,2.55,17850,France",
        "2,C,JAR,1,2010-12-01 8:27,0.001,17850,France",
        "3,D,CUP,1,2010-12-01 8:28,1.00,17850,France",
    ]

    file = read(write(tmp_path, *lines))

    assert [sale.number for sale in file.sales] == ["3"]
    assert file.refused == {
        "1": [{"line": 3, "reason": "'many' is no whole quantity."}],
        "2": [{"line": 4, "reason": "the price 0.001 has parts of a cent."}],
    }


def test_credit_notes_and_odd_lines_are_no_sales(tmp_path):
    lines = [
        "C1,A,TIN,-2,2010-12-01 8:26,2.55,17850,France",
        "2,A,TIN,-5,2010-12-01 8:27,0,,France",
        "3,A,TIN,1,2010-12-01 8:28,0,17850,France",
        "3,B,MUG,1,2010-12-01 8:28,4.00,17850.0,France",
    ]

    file = read(write(tmp_path, *lines))

    assert [note.number for note in file.credit_notes] == ["C1"]
    assert [document.number for document in file.odd] == ["2", "3"]
    assert [(sale.number, sale.total, sale.customer) for sale in file.sales] == [
        ("3", Decimal("4.00"), "17850")
    ]
