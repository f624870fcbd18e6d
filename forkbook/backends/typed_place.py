"""A place as a user typed it: what kind it is, held so that no password in it shows."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import InvalidInput
from ..model.held import Secret, masked_address
from ..model.meant import meant
from ..model.text import short

ARCHIVE_SUFFIX = ".forkbook"
LONGEST_SHOWN = 300  # characters of what was typed


def held_place(source: Any) -> Any:
    """What a user names: a text as a `Secret`, as it may be an address with a password; all else as it is."""
    return Secret(source.strip()) if isinstance(source, str) else source


def kind_of(source: Any) -> str:
    """What was named: `demo`, `server`, `postgres`, another `address`, a `path`, an `object`, or `nothing`."""
    if isinstance(source, os.PathLike):
        return "path" if str(source).strip() else "nothing"
    if not isinstance(source, Secret):
        return "object"
    text = str(source.reveal())
    if text == "demo" or not text:
        return text or "nothing"
    if "://" not in text:
        return "path"
    scheme = text.lower().partition("://")[0]
    if scheme.partition("+")[0].partition(":")[0] in ("postgresql", "postgres"):
        return "postgres"
    return "server" if scheme.startswith("http") else "address"


def for_libpq(address: Secret) -> Secret:
    """The address of a Postgres database, its scheme as libpq knows it: "+psycopg" is SQLAlchemy's."""
    scheme, _, rest = str(address.reveal()).partition("://")
    return Secret(f"{scheme.lower().partition('+')[0]}://{rest}")


def existing_path(source: Any) -> Path:
    """The path that a text names, once it is known that it is no address with a password.

    Raises:
        InvalidInput: There is nothing of this name, or it is a pipe, a socket or a device.
    """
    source = source if isinstance(source, Secret) else Secret(str(source))
    if (missing := _missing(source)) is not None:
        raise InvalidInput(missing)
    path = Path(source.reveal())
    with suppress(OSError):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise InvalidInput(f"{short(str(path), LONGEST_SHOWN)} is {no_file(mode)}: it was not opened")
    return path


def no_file(mode: int) -> str:
    """What there is in the place of a file, by its mode."""
    for is_one, name in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if is_one(mode):
            return f"{name}, not a file"
    return "not a file"


def _missing(source: Secret) -> str | None:
    """What to say of a path where nothing is, in words that show no password; None: something is there."""
    text = str(source.reveal())
    try:
        if Path(text).exists():
            return None
    except (OSError, ValueError):
        pass
    shown = masked_address(text)
    if shown == text and Path(text).suffix == ARCHIVE_SUFFIX:
        return None  # told by what reads archives
    return (
        f"{short(shown, LONGEST_SHOWN)} is neither a file nor an address; an address begins with http:// or "
        f"postgresql://{meant(text) if shown == text else ''}"
    )
