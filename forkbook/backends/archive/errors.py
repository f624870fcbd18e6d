"""What can be wrong with an archive, in words."""

from pathlib import Path

from ...errors import ArchiveDamaged


def errorname(error: Exception) -> str:
    """SQLite's name for an error; "" where it is Python's own, as for text that is no UTF-8."""
    return getattr(error, "sqlite_errorname", None) or ""


def damaged_file(path: Path, reason: object) -> ArchiveDamaged:
    """The file as a whole cannot be read."""
    return ArchiveDamaged(
        f"archive {path} is damaged: {reason}. Take it from a backup, or export it again under another name; "
        "fb.verify() says what can still be read",
        path=str(path),
        damage=f"the file is damaged: {reason}",
    )


def damaged_thread(path: Path, thread_id: str, reason: object, checkpoint_id: str | None = None) -> ArchiveDamaged:
    """One thread cannot be read."""
    where = f"checkpoint {checkpoint_id} of thread {thread_id}" if checkpoint_id else f"thread {thread_id}"
    return ArchiveDamaged(
        f"{where} is damaged in archive {path}: {reason}. Take the file from a backup, or export the thread again; "
        "fb.verify() says which threads are whole, and those can be opened",
        thread_id=thread_id,
        checkpoint_id=checkpoint_id,
        path=str(path),
        damage=f"{where} is damaged: {reason}",
    )
