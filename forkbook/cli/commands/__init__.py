"""The commands of `forkbook`: one file each, and one row each in `COMMANDS`, which has the order of the help text."""

from collections.abc import Callable, Mapping

from .copy import copy
from .demo import demo
from .diff import diff
from .export import export
from .import_ import import_
from .migrate import migrate
from .report import report
from .show import show
from .threads import threads
from .verify import verify

COMMANDS: Mapping[str, Callable[..., int]] = {
    "threads": threads,
    "show": show,
    "export": export,
    "import": import_,
    "migrate": migrate,
    "copy": copy,
    "diff": diff,
    "report": report,
    "verify": verify,
    "demo": demo,
}
