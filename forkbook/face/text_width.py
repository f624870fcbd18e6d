"""How wide a text is in a picture that nobody measures: an upper bound for the fonts that systems have. Pure."""

import unicodedata

SIZE = 13  # px of the letters that the widths are of
NARROW, USUAL, BROAD, WIDE = 5.3, 8.3, 10.3, 13.2  # px, as in DejaVu Sans, the broadest that is usual
THIN = frozenset("iljtfrI.,:;'|!()[]· /\\-")
THICK = frozenset("mwMW@%&…—")


def width_of(text: str, size: float = SIZE) -> float:
    """The most px that a text takes."""
    return sum(map(_width, text)) * size / SIZE


def fitted(text: str, width: float, size: float = SIZE) -> str:
    """The beginning of a text that has room in so many px, with an ellipsis where something is cut off."""
    if width_of(text, size) <= width:
        return text
    left = width - width_of("…", size)
    for number, character in enumerate(text):
        left -= _width(character) * size / SIZE
        if left < 0:
            return text[:number].rstrip() + "…"
    return text


def _width(character: str) -> float:
    if character in THIN:
        return NARROW
    if character in THICK:
        return WIDE
    if character < "\x7f":
        return BROAD if character.isupper() else USUAL
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return WIDE if unicodedata.east_asian_width(character) in "FW" or ord(character) > 0xFFFF else BROAD
