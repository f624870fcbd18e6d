"""Whether the installed LangGraph is one that graphs in this process can be read with."""

import re
from importlib.metadata import PackageNotFoundError, version

from ...errors import MissingExtra

NEEDED = {"langgraph": (1, 2), "langgraph-checkpoint": (4, 1)}


def require_langgraph() -> None:
    """Check the versions that `forkbook[graph]` asks for, before anything is imported that older ones lack.

    Raises:
        MissingExtra: One is not installed, or too old; the text has the versions and the pip command.
    """
    for package, needed in NEEDED.items():
        found = _installed(package)
        if found is None or _numbers(found) < needed:
            wanted = ".".join(map(str, needed))
            held = f"{package} {found} is installed" if found else f"{package} is not installed"
            raise MissingExtra(
                f"{held}; graphs in this process need {package} {wanted} or newer: pip install -U 'forkbook[graph]'",
                package=package,
                found=found,
                needed=wanted,
            )


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _numbers(found: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", found)[:2]))
