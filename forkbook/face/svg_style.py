"""The colours and fonts of the SVG picture, as plain rules: programs that draw SVG know no variables of CSS. Pure."""

HUES = 6  # of branches, as in the page
SIZE, SMALL, TINY = 13, 12, 11  # px of letters

# ground, ink, grey, edge, chosen, failed, waits, signs, then the branches: the colours of the page (app.css)
LIGHT: tuple[str, ...] = ("#fff", "#1b1f24", "#5a626b", "#d8dce1", "#dbe8fd", "#b3261e", "#6d3fc4", "#8a5300")
LIGHT += ("#3a6fd8", "#0f7f78", "#8447c9", "#a85c00", "#bd2f76", "#4d6480")
DARK: tuple[str, ...] = ("#14171b", "#e6e9ed", "#a3abb5", "#343a42", "#1f3a63", "#ff8a80", "#c2a2ff", "#f2b95c")
DARK += ("#7fa9f5", "#4cc9bd", "#c49bf5", "#eaa652", "#f58ab8", "#a4b5c9")

FORMS = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;font-size:13px;white-space:pre}"
    "tspan{unicode-bidi:isolate}.s{font-size:12px}.n,.k{font-size:11px}.t,.k{font-weight:600}.r{text-anchor:end}"
    ".k{text-anchor:middle}.p,.d,.h,.y{fill:none}.p,.h{stroke-width:2}.m{stroke-width:1.5}.y{stroke-width:1.8}"
    ".d{stroke-width:2.6;stroke-linecap:round}.u{stroke-dasharray:2.5 2}"
)


def _colours(colours: tuple[str, ...]) -> str:
    ground, ink, grey, edge, chosen, failed, waits, sign, *hues = colours
    branches = "".join(
        f".p{number},.d{number},.h{number}{{stroke:{hue}}}.m{number}{{fill:{hue}}}" for number, hue in enumerate(hues)
    )
    return (
        f".g{{fill:{ground};stroke:{edge}}}text{{fill:{ink}}}.s,.n{{fill:{grey}}}.c{{fill:{chosen}}}.b,.f{{fill:{failed}}}"
        f".q{{fill:{waits}}}.w{{fill:{sign}}}.k{{fill:{ground}}}.h{{fill:{ground}}}.m,.y{{stroke:{ground}}}{branches}"
    )


STYLE = f"svg{{color-scheme:light dark}}{FORMS}{_colours(LIGHT)}@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"
