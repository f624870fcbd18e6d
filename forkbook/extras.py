"""Whether the optional packages that a feature needs are installed, and new enough."""

import re
from importlib.util import find_spec

from .errors import MissingExtra

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


def require_extra(*modules: str) -> None:
    """Raise `MissingExtra` unless all of these modules can be imported."""
    if missing := [module for module in modules if find_spec(module) is None]:
        raise MissingExtra(
            f"the demo needs {', '.join(missing)}; install what it needs with: pip install 'forkbook[demo]'"
        )


def _installed(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # its import takes a tenth of forkbook's

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _numbers(found: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", found)[:2]))
