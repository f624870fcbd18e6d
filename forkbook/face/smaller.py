"""JavaScript and CSS without comments and needless space, as they go into every notebook."""

import re
from collections.abc import Iterator

STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)", re.S)  # up to its end, or to code inside it
WORD = re.compile(r"[\w$]+")
SPACE = re.compile(r"\s+")
BEFORE_REGEX = re.compile(r"(?:^|[(,=:\[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|of|in))$")


def smaller(script: str) -> str:
    """A script that does the same with fewer characters.

    Args:
        script: JavaScript; a line that ends in an operator goes on, as Prettier writes it.
    """
    written: list[str] = []
    last = space = ""
    for token in tokens(script):
        if token.isspace():
            space = "\n" if "\n" in space + token else " "
            continue
        if last and space and _parts(last, token, space):
            written.append(space)
        written.append(token)
        last, space = token, ""
    return "".join(written) + "\n"


def smaller_style(style: str) -> str:
    """A style sheet that does the same with fewer characters."""
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.S)
    return (
        re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r":\s+", ":", re.sub(r"\s+", " ", style))).replace(";}", "}").strip()
        + "\n"
    )


def _parts(last: str, token: str, space: str) -> bool:
    """Whether two tokens need the space between them."""
    if space == "\n":
        return last[-1] not in "{([,;" and token[0] not in ")]}.?:"
    if _is_word(last[-1]) and _is_word(token[0]):
        return True
    return last[-1] + token[0] in ("++", "--", "//")


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign in "_$"


def tokens(script: str) -> Iterator[str]:
    """Words, signs, texts and space of a script; comments count as space."""
    at, last = 0, ""
    inside: list[int] = []  # how many braces are open in each template's code
    while at < len(script):
        sign = script[at]
        if found := SPACE.match(script, at) or (sign == "/" and COMMENT.match(script, at)):
            at = found.end()
            yield "\n" if "\n" in found[0] and found[0][0] != "/" else " "
            continue
        if sign == "`" or (sign == "}" and inside and not inside[-1]):
            if sign == "}":
                inside.pop()
            found = TEMPLATE.match(script, at + 1)
            if found is None:
                raise ValueError(f"a template does not end: {script[at : at + 40]!r}")
            if found[0].endswith("${"):
                inside.append(0)
        elif sign in "\"'":
            found = STRING.match(script, at)
        elif sign == "/" and BEFORE_REGEX.search(last):
            found = REGEX.match(script, at)
        else:
            found = WORD.match(script, at)
            if inside:
                inside[-1] += {"{": 1, "}": -1}.get(sign, 0)
        end = found.end() if found else at + 1
        last = script[at:end]
        yield last
        at = end
