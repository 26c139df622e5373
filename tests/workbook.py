"""Opens a workbook as another program would, and computes its formulas anew, without the values stored in it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import formualizer
import openpyxl
from openpyxl.workbook import Workbook

Cells = dict[str, float | str]


def opened(content: bytes) -> Workbook:
    """The workbook with its formulas."""
    return openpyxl.load_workbook(BytesIO(content))


def recomputed(content: bytes, change: Callable[[Workbook], None] | None = None) -> Cells:
    """The values of the first sheet's column B, computed from the formulas, after `change` edited the workbook."""
    workbook = opened(content)
    if change is not None:
        change(workbook)
    bare = BytesIO()
    workbook.save(bare)
    stored = openpyxl.load_workbook(BytesIO(bare.getvalue()), data_only=True).worksheets[0]
    assert stored["B5"].value is None, "saving must drop the values, or nothing shows that they are computed"
    told: dict[str, Any] = formualizer.recalculate_xlsx_bytes(bare.getvalue())
    assert told["summary"]["errors"] == 0, told["summary"]
    sheet = openpyxl.load_workbook(BytesIO(told["bytes"]), data_only=True).worksheets[0]
    cells = {f"B{row}": sheet.cell(row, 2).value for row in range(1, sheet.max_row + 1)}
    return {name: value for name, value in cells.items() if isinstance(value, int | float | str)}
