"""The notebooks that come with forkbook, and working copies of them."""

import filecmp
import shutil
from pathlib import Path

from ..errors import ForkbookError

FIRST = "01-time-travel.ipynb"
"""The notebook that the demo opens."""

_PACKAGE = Path(__file__).resolve().parents[1]


def source() -> Path:
    """The folder with the notebooks: in the package (a wheel), or beside it (a checkout).

    Raises:
        ForkbookError: There is none.
    """
    for folder in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks"):
        if (folder / FIRST).is_file():
            return folder
    raise ForkbookError(
        f"this installation of forkbook has no {FIRST}, neither in {_PACKAGE} nor beside it; "
        "install it again with: pip install --force-reinstall 'forkbook[demo]'"
    )


def copy_to(folder: Path) -> list[str]:
    """Copy the notebooks, and what lies beside them, but overwrite nothing.

    Args:
        folder: Where the copies go; made if missing.

    Returns:
        The names of files that were there already and differ from the original: the user's work.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for original in sorted(filter(Path.is_file, source().iterdir())):
        copy = folder / original.name
        if not copy.exists():
            shutil.copyfile(original, copy)
        elif not filecmp.cmp(original, copy, shallow=False):
            kept.append(copy.name)
    return kept
