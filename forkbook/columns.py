"""What a column of a frame is, the dtypes, and the columns whose cells are lists or dicts. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = Mapping[str, Any]
Dtype = str | tuple[str, ...]
Columns = Mapping[str, Dtype]

TIME, TEXT, INT, BOOL, FLOAT, OBJECT = "datetime64[us, UTC]", "string", "Int64", "boolean", "Float64", "object"
NAMES = ("next", "branches", "unknown_channels")  # columns of lists of text
JSON = frozenset({"metadata", "tool_calls", "path", "interrupts", "writes", "value", "old", "new", "answer", "input"})

Subject = TypeVar("Subject", contravariant=True)  # what one row is about


@dataclass(frozen=True, slots=True)
class Column(Generic[Subject]):
    """One column of a frame.

    Attributes:
        name: Its name.
        dtype: Its pandas dtype; a tuple of names is a categorical of them.
        about: What a cell says, with its unit, and when it is null.
        cell: Gives the cell of a row from what the row is about.
    """

    name: str
    dtype: Dtype
    about: str
    cell: Callable[[Subject], Any]


class Table(Mapping[str, Dtype], Generic[Subject]):
    """The columns of a frame in order; as a mapping it gives the dtype of each name.

    Attributes:
        columns: The columns.
    """

    def __init__(self, *columns: Column[Subject]) -> None:
        self.columns = columns
        self._by_name = {column.name: column for column in columns}

    def __getitem__(self, name: str) -> Dtype:
        return self._by_name[name].dtype

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def row(self, subject: Subject) -> dict[str, Any]:
        """The cells of one row, by the names of the columns."""
        return {column.name: column.cell(subject) for column in self.columns}
