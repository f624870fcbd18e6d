"""The formats of an export, one row each; a further one is a row here, and a file beside that writes it."""

from collections.abc import Mapping

from ...backends.typed_place import ARCHIVE_SUFFIX
from . import archive, json, parquet
from .format import Format

ROWS = (
    Format(
        "archive",
        ARCHIVE_SUFFIX,
        "an archive of every branch, each value once",
        archive.open_archive,
        archive.held,
        adds=True,
    ),
    Format("json", ".json", "the plain list of threads that migration scripts read", json.open_json, json.held),
    Format(
        "parquet",
        ".parquet",
        "a folder of tables for pandas",
        parquet.open_tables,
        parquet.held,
        is_backup=False,
    ),
)
FORMATS: Mapping[str, Format] = {row.name: row for row in ROWS}
SUFFIXES = tuple(row.suffix for row in ROWS)
BACKUPS = tuple(row.suffix for row in ROWS if row.is_backup)
