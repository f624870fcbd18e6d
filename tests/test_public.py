"""What a user meets under `fb.`: every public field is told in its class's docstring, with its type."""

import ast
import dataclasses
import inspect
import re
import textwrap

import pytest

import forkbook as fb

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
