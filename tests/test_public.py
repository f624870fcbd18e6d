"""What a user meets: names under `fb.`, their signatures and docstrings, and the texts of `forkbook --help`.

`python tests/test_public.py` writes tests/data/public.txt anew, after a change that is meant.
"""

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import forkbook as fb
from forkbook.cli import app

SNAPSHOT = Path(__file__).parent / "data" / "public.txt"
CLASSES = [name for name in fb.__all__ if inspect.isclass(getattr(fb, name))]


def fields(kind):
    """The public fields of a class: a dataclass's, or what its methods set on themselves."""
    if dataclasses.is_dataclass(kind):
        found = {field.name for field in dataclasses.fields(kind)}
    else:
        nodes = list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(kind)))))
        found = {
            node.attr
            for node in nodes
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        }
    return {name for name in found if not name.startswith("_")}


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_field_is_told_with_its_type(name):
    kind = getattr(fb, name)
    _, _, attributes = inspect.getdoc(kind).partition("\nAttributes:\n")
    told = set(re.findall(r"^    (\w+) \(.+?\): .", attributes, re.MULTILINE))
    assert fields(kind) <= told


@pytest.mark.parametrize("name", [name for name in CLASSES if not issubclass(getattr(fb, name), Exception)])
def test_every_public_method_and_property_says_what_it_is(name):
    members = inspect.getmembers(
        getattr(fb, name), lambda member: inspect.isfunction(member) or isinstance(member, property)
    )
    assert not [member for member, value in members if not member.startswith("_") and not inspect.getdoc(value)]


def signature(call) -> str:
    """Names, kinds and defaults of the arguments; annotations are left to mypy."""
    found = inspect.signature(call)
    bare = [value.replace(annotation=inspect.Parameter.empty) for value in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def public_signatures() -> Iterator[str]:
    for name in fb.__all__:
        value = getattr(fb, name)
        if inspect.isfunction(value):
            yield f"{name}{signature(value)}"
        if not inspect.isclass(value) or issubclass(value, Exception):
            continue
        for member in (name for name in dir(value) if not name.startswith("_")):
            found = inspect.getattr_static(value, member)
            found = getattr(found, "__func__", found)
            yield f"{name}.{member}{signature(found) if inspect.isfunction(found) else ''}"


def help_texts() -> Iterator[str]:
    for command in ("", *typer.main.get_group(app).commands):
        asked = [*filter(None, [command]), "--help"]
        yield f"\n$ forkbook {' '.join(asked)}"
        yield CliRunner().invoke(app, asked, prog_name="forkbook", env={"COLUMNS": "80"}).output.rstrip()


def public() -> str:
    return "\n".join([*fb.__all__, "", *public_signatures(), *help_texts(), ""])


def test_names_signatures_and_help_texts_change_only_when_it_is_meant():
    assert public() == SNAPSHOT.read_text("utf-8")


if __name__ == "__main__":
    SNAPSHOT.write_text(public(), "utf-8")
