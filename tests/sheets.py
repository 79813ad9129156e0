"""Spreadsheets and Parquet files, made without the programs that write them."""

from __future__ import annotations

import io
import zipfile
from html import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def xlsx(sheets: dict[str, list[list] | str]) -> bytes:
    """Return a spreadsheet; a sheet is rows of text, numbers, truths and None, or its XML."""
    links = "".join(
        f'<Relationship Id="r{place}" Type="{_OFFICE}/worksheet" Target="worksheets/{place}.xml"/>'
        for place, _ in enumerate(sheets)
    )
    named = "".join(f'<sheet name="{escape(name)}" sheetId="{place + 1}" r:id="r{place}"/>' for place, name in enumerate(sheets))
    office = "application/vnd.openxmlformats-"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{office}package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{office}officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
    }
    for place, rows in enumerate(sheets.values()):
        body = rows if isinstance(rows, str) else "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/{place}.xml"] = f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return file.getvalue()


def _cell(value) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    return "<c/>" if value is None else f"<c><v>{value!r}</v></c>"


def parquet(**columns) -> bytes:
    """Return a Parquet file of columns."""
    import pyarrow
    from pyarrow import parquet as written

    file = io.BytesIO()
    written.write_table(pyarrow.table(columns), file)
    return file.getvalue()
