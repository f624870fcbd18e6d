"""A DataFrame that goes into files as it is: its lists and dicts as JSON text, its times without a zone for Excel."""

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from .backends.archive.text import NotJson, json_line
from .columns import JSON, NAMES
from .files import written_elsewhere
from .model.text import cut, json_text, visible, without_surrogates

LARGEST = 2**63
LONGEST_CELL = 32_767  # characters of a cell of Excel
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")  # in the XML of an Excel file


class Frame(pd.DataFrame):
    """A DataFrame of forkbook, whose lists and dicts are Python objects in memory and JSON text in files.

    `to_parquet`, `to_feather`, `to_orc`, `to_csv` and `to_excel` take it as it is, `flat()` gives it to other tools;
    `json.loads` gives the objects of a cell back. A file appears under its name when it is whole. In Parquet, Feather
    and ORC the lists of names (`next`, `branches`, `unknown_channels`) stay lists. An Excel file knows no time zones:
    its times are UTC. Nothing in it is a formula, control characters are shown as `␛`, and a text that is longer than
    a cell holds is cut, with a warning.

    Frames that are made of it (rows, columns, merged, concatenated) are such frames, too.
    """

    @property
    def _constructor(self) -> Callable[..., "Frame"]:
        return Frame

    def flat(self, *, lists: bool = False) -> pd.DataFrame:
        """The frame as files have it, an ordinary DataFrame, for other tools.

        Args:
            lists: Whether lists of names stay lists.
        """
        columns = {}
        for place in range(self.shape[1]):
            column = self.iloc[:, place]
            columns[place] = _flat(column, lists=lists) if column.dtype == object else column
        found = pd.DataFrame(columns, index=self.index)
        found.columns = self.columns
        return found

    def to_parquet(self, path: Any = None, *args: Any, **more: Any) -> Any:
        """As pandas does."""
        return _whole(self.flat(lists=True).to_parquet, path, *args, **more)

    def to_feather(self, path: Any, *args: Any, **more: Any) -> None:
        """As pandas does."""
        _whole(self.flat(lists=True).to_feather, path, *args, **more)

    def to_orc(self, path: Any = None, *args: Any, **more: Any) -> Any:
        """As pandas does."""
        return _whole(self.flat(lists=True).to_orc, path, *args, **more)

    def to_csv(self, path_or_buf: Any = None, *args: Any, **more: Any) -> Any:
        """As pandas does."""
        return _whole(self.flat().to_csv, path_or_buf, *args, **more)

    def to_excel(self, excel_writer: Any, sheet_name: str = "Sheet1", **more: Any) -> None:  # type: ignore[misc]
        """As pandas does; times are UTC, without a zone."""
        for_excel = _for_excel(self.flat())
        if isinstance(excel_writer, pd.ExcelWriter):
            _add_sheet(for_excel, excel_writer, sheet_name, **more)
            return
        how = {name: more.pop(name) for name in ("engine", "storage_options", "engine_kwargs") if name in more}

        def write(place: Any) -> None:
            with pd.ExcelWriter(place, **how) as writer:
                _add_sheet(for_excel, writer, sheet_name, **more)

        _whole(write, excel_writer)


def _add_sheet(frame: pd.DataFrame, writer: "pd.ExcelWriter[Any]", sheet_name: str, **more: Any) -> None:
    frame.to_excel(writer, sheet_name=sheet_name, **more)
    _without_formulas(writer.sheets[sheet_name])


def _whole(write: Callable[..., Any], place: Any, *args: Any, **more: Any) -> Any:
    """Let pandas write to a place; a file of this machine appears under its name when it is whole.

    Args:
        write: A method of a DataFrame.
        place: A path, an address, an open file or None.
        *args: As pandas takes them.
        **more: As pandas takes them.

    Raises:
        InvalidInput: There is no folder for the file.
        SourceError: The file cannot be written; one that was there is as it was.
    """
    path = None if args or more.get("mode", "w") != "w" or more.get("partition_cols") else _path_of(place)
    if path is None:
        return write(place, *args, **more)
    with written_elsewhere(path) as new:
        return write(new, **more)


def _path_of(place: Any) -> Path | None:
    """The path of a file of this machine that may be put in place of another one; None for what is something else."""
    if not isinstance(place, str | os.PathLike) or "://" in str(place):
        return None
    path = Path(place).expanduser()
    path = path.resolve() if path.is_symlink() else path
    return path if path.is_file() or not path.exists() else None


def _flat(column: "pd.Series[Any]", *, lists: bool) -> "pd.Series[Any]":
    """A column of objects as text; what holds nothing but values of one plain type stays as it is."""
    kinds = {type(cell) for cell in column if not _is_missing(cell)}
    if lists and column.name in NAMES and kinds <= {list}:
        return column.map(lambda cell: None if _is_missing(cell) else [without_surrogates(str(name)) for name in cell])
    if kinds == {str} and column.name not in JSON:
        return column.map(without_surrogates, na_action="ignore")
    if kinds and kinds <= {int, float} and column.name not in JSON and all(map(_fits, column)):
        return column
    return pd.Series([_json(cell) for cell in column], index=column.index, name=column.name, dtype="string")


def _json(cell: Any) -> str | None:
    if _is_missing(cell):
        return None
    try:
        return json_line(cell)[0].decode()
    except NotJson:
        return json_text(cell)


def _fits(cell: Any) -> bool:
    """Whether a number has a place in a column of numbers."""
    return _is_missing(cell) or abs(cell) < LARGEST


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)


def _for_excel(frame: pd.DataFrame) -> pd.DataFrame:
    found = frame.copy()
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.DatetimeTZDtype):
            found[name] = frame[name].dt.tz_convert("UTC").dt.tz_localize(None)
        elif pd.api.types.is_string_dtype(dtype):
            found[name] = frame[name].map(_shown, na_action="ignore")
            long = int((frame[name].str.len() > LONGEST_CELL).sum())
            if long:
                note = f"{long:,} texts of column {name} are cut: a cell of Excel holds {LONGEST_CELL:,} characters"
                warnings.warn(visible(note), stacklevel=3)
    return found


def _shown(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return cut(ILLEGAL.sub(lambda found: chr(0x2400 + ord(found[0])), text), LONGEST_CELL)


def _without_formulas(sheet: Any) -> None:
    """Let texts that begin with = be texts: openpyxl takes them for formulas, and Excel runs these."""
    for row in sheet.iter_rows() if hasattr(sheet, "iter_rows") else ():
        for cell in row:
            if cell.data_type == "f":
                cell.data_type = "s"
