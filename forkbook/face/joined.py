"""The front end as one text of JavaScript and one of CSS: its ES modules joined, each once, after what it imports."""

import re
from functools import cache
from pathlib import Path

from .smaller import smaller, smaller_style

FOLDER = Path(__file__).parent
IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w./-]+)";[ \t]*\n', re.M)
EXPORT = re.compile(r"^export\s+(?=(?:async\s|function|class|const|let)\b)", re.M)
NAME = re.compile(r"^(?:async\s+)?(?:function\*?|class|const|let)\s+([\w$]+)", re.M)
UNFIT = re.compile(r"^(?:import\b|export\b(?! default\b)|(?:const|let)\s*[\[{]|var\b).*", re.M)
DEFAULT = re.compile(r"^export\s+default\b", re.M)
COMMENT = re.compile(r"^[ \t]*/\*\*(?:[^*]|\*(?!/))*\*/[ \t]*\n", re.M)  # those that fill whole lines


def bundle(entry: Path) -> str:
    """Join a module and all that it imports into one module without imports.

    Args:
        entry: The module that the others serve; it alone may have a default export.

    Raises:
        ValueError: Two modules have the same name at top level, a module imports itself by way of others, or a line
            cannot be joined: packages, renaming, destructuring at top level. The text names the module.
    """
    texts: dict[Path, str] = {}
    owners: dict[str, Path] = {}

    def add(path: Path, above: tuple[Path, ...]) -> None:
        if path in above:
            raise ValueError(f"{path.name} imports itself by way of {above[-1].name}")
        if path in texts:
            return
        text = COMMENT.sub("", path.read_text("utf-8"))
        for names, imported in IMPORT.findall(text):
            if " as " in names:
                raise ValueError(f"{path.name}: {names.strip()!r} renames")
            add((path.parent / imported).resolve(), (*above, path))
        body = EXPORT.sub("", IMPORT.sub("", text))
        if unfit := UNFIT.search(body):
            raise ValueError(f"{path.name}: cannot join {unfit[0]!r}")
        if above and DEFAULT.search(body):
            raise ValueError(f"{path.name}: only {entry.name} may have a default export")
        for name in NAME.findall(body):
            if (owner := owners.setdefault(name, path)) != path:
                raise ValueError(f"{name} stands in {owner.name} and in {path.name}")
        texts[path] = f"// {path.name}\n{body.strip()}\n"

    add(entry.resolve(), ())
    return "\n".join(texts.values())


@cache
def code() -> tuple[str, str]:
    """The front end: its JavaScript, whose default export has `render`, and its CSS."""
    styles = sorted(FOLDER.glob("*.css"), key=lambda path: (path.name != "app.css", path.name))
    style = "\n".join(path.read_text("utf-8") for path in styles)
    return smaller(bundle(FOLDER / "app.js")), smaller_style(style)
