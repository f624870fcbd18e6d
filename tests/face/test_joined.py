"""The modules of the front end become one text, and what cannot be joined is refused by name."""

import re

import pytest

from forkbook.face.joined import bundle, code


def joined(folder, **modules):
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return bundle(folder / "app.js")


def test_each_module_once_after_what_it_imports(tmp_path):
    text = joined(
        tmp_path,
        app='import { b } from "./b.js";\nimport {\n  c,\n  d,\n} from "./c.js";\nexport default { b, c, d };\n',
        b='import { c } from "./c.js";\n/** Twice as much. */\nexport const b = 2 * c;\n',
        c="export const c = 1;\nexport class d {}\n",
    )
    assert text == (
        "// c.js\nconst c = 1;\nclass d {}\n\n// b.js\nconst b = 2 * c;\n\n// app.js\nexport default { b, c, d };\n"
    )


@pytest.mark.parametrize(
    ("modules", "says"),
    [
        ({"b": "export const a = 1;\nfunction x() {}", "c": "class x {}"}, "x stands in b.js and in c.js"),
        ({"b": 'import { c } from "./c.js";\n', "c": 'import { b } from "./b.js";\n'}, "b.js imports itself by way of"),
        ({"b": 'import { x as y } from "./c.js";\n', "c": ""}, "b.js: 'x as y' renames"),
        ({"b": 'import x from "lodash";\n', "c": ""}, "b.js: cannot join 'import x"),
        ({"b": "const { x } = y;\n", "c": ""}, "b.js: cannot join 'const {"),
        ({"b": "export default 1;\n", "c": ""}, "b.js: only app.js may have a default export"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path, modules, says):
    app = 'import { b } from "./b.js";\nimport { c } from "./c.js";\nexport default { b, c };\n'
    with pytest.raises(ValueError, match=says):
        joined(tmp_path, app=app, **modules)


def test_the_front_end_is_small_and_one_text():
    script, style = code()
    assert code() is code()
    assert len(script.encode()) + len(style.encode()) < 150_000
    assert re.findall(r"(?:^|[;}\n])(import|export)\b", script) == ["export"]
