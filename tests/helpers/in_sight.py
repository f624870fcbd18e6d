"""Everything that a living object of forkbook says of itself, and the characters that no terminal or page may get."""

import gc
import inspect
import unicodedata
import warnings

NASTY = "\x1b]52;c;aGk=\x07\x1b[31m\x9b2J\u202egnp\u2066\u200b\ufeff\r\x08\u2028"
RAW = {"Cc", "Cf", "Cs", "Zl", "Zp"}
MEANT = "\n\t\u200c\u200d"
SAID = ("__repr__", "__str__", "_repr_html_", "_repr_markdown_", "_repr_mimebundle_")


def raw(said):
    """The characters of what was said that would act instead of showing; a mime bundle's texts are looked through."""
    if isinstance(said, dict):
        return {each for item in said.items() for part in item for each in raw(part)}
    if isinstance(said, list | tuple):
        return {each for item in said for each in raw(item)}
    if not isinstance(said, str):
        return set()
    return {hex(ord(each)) for each in said if each not in MEANT and unicodedata.category(each) in RAW}


def living(package):
    """Every object in this process whose class is of a package."""
    return [each for each in gc.get_objects() if str(type(each).__module__).split(".")[0] == package]


def said_by(each):
    """What an object says: its reprs, and its methods that need no argument and give text, by their names."""
    for name in SAID:
        if callable(method := getattr(type(each), name, None)):
            yield name, _asked(method, each)
    for name, method in inspect.getmembers(type(each), inspect.isfunction):
        if not name.startswith("_") and _gives_text(method):
            yield name, _asked(method, each)


def _gives_text(method):
    signature = inspect.signature(method)
    needed = [each for each in signature.parameters.values() if each.default is each.empty and each.kind < 2]
    return len(needed) == 1 and signature.return_annotation in ("str", str, "Html", "Code")


def _asked(method, each):
    """What a method says; where it cannot, its error."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            said = method(each)
        except Exception as error:
            said = [str(error), repr(error)]
    return [said, [str(warning.message) for warning in told]]
