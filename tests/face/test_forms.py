"""Questions as text and as forms."""

import json

import pytest
from pydantic import TypeAdapter

from forkbook.face.forms import form_of, question_item, question_text
from forkbook.model.questions import Question


def kind(value, schema=None):
    form = form_of(value, schema)
    return form and (form["type"], form["choices"], form["text"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Publish this?", None),
        ({"question": "Publish this?"}, None),
        (None, None),
        ([1, 2], None),
        ({"question": "Sure?", "type": "boolean"}, ("boolean", None, "")),
        ({"question": "Sure?", "default": False}, ("boolean", None, "false")),
        ({"question": "How many?", "default": 3}, ("integer", None, "3")),
        ({"question": "Name?", "default": "Ada"}, ("text", None, '"Ada"')),
        ({"question": "Which?", "choices": ["a", "b"]}, ("choice", ["a", "b"], "")),
        ({"options": [{"label": "A", "value": 1}, {"value": 2}], "default": 2}, ("choice", [1, 2], "2")),
        ({"question": "Which?", "choices": [{"a": []}]}, None),
        ({"message": "Fill in", "schema": {"type": "number"}}, ("number", None, "")),
        ({"message": "Fill in", "schema": {"type": "string", "enum": ["x", "y"]}}, ("choice", ["x", "y"], "")),
        ({"type": "email_review", "body": "…"}, None),
    ],
)  # fmt: skip
def test_a_value_with_a_shape_has_a_form(value, expected):
    assert kind(value) == expected


def test_the_schema_of_an_answer_makes_the_form():
    assert kind("Sure?", {"type": "boolean"}) == ("boolean", None, "")
    schema = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"default": 3}}, "description": "who"}
    form = form_of("Who?", schema)
    assert (form["type"], json.loads(form["text"]), form["description"]) == ("json", {"name": None, "age": 3}, "who")


@pytest.fixture(scope="module")
def langchain():
    """LangChain's own middleware."""
    return pytest.importorskip("langchain.agents.middleware.human_in_the_loop")


def asked_by_middleware(langchain, decisions):
    """What it asks of a call."""
    middleware = langchain.HumanInTheLoopMiddleware({"pay": {"allowed_decisions": decisions, "description": "Pay it?"}})
    request, config = middleware._create_action_and_config(
        {"name": "pay", "args": {"euros": 5}, "id": "c", "type": "tool_call"},
        middleware.interrupt_on["pay"],
        {"messages": []},
        None,
    )
    return {"action_requests": [request], "review_configs": [config]}


def test_calls_of_langchains_middleware_are_decided_on(langchain):
    value = asked_by_middleware(langchain, ["approve", "edit", "reject", "respond"])
    assert question_text(value) == "pay(5)\nPay it?\nit may be decided: approve, edit, reject, respond"
    form = form_of(value)
    assert (form["type"], json.loads(form["text"])) == ("json", {"decisions": [{"type": "approve"}]})
    assert [choice["decisions"][0] for choice in form["choices"]] == [
        {"type": "approve"},
        {"type": "edit", "edited_action": {"name": "pay", "args": {"euros": 5}}},
        {"type": "reject", "message": ""},
        {"type": "respond", "message": ""},
    ]
    only = form_of(asked_by_middleware(langchain, ["reject"]))
    assert json.loads(only["text"]) == {"decisions": [{"type": "reject", "message": ""}]}


def test_a_call_that_is_decided_on_alone_has_its_decisions_in_the_schema(langchain):
    adapter = TypeAdapter(langchain._decision_schema(["approve", "edit"], "pay"))
    value = {"type": "tool_approval", "tool_call_id": "c", "name": "pay", "args": {"euros": 5}, "description": "Pay?"}
    form = form_of(value, adapter.json_schema())
    assert [choice["type"] for choice in form["choices"]] == ["approve", "edit"]
    for choice in form["choices"]:
        adapter.validate_python(choice)
    only = form_of(value, TypeAdapter(langchain._decision_schema(["reject"], "pay")).json_schema())
    assert json.loads(only["text"]) == {"type": "reject", "message": ""}


def test_calls_of_older_agents_are_decided_on():
    config = {"allow_accept": True, "allow_edit": True, "allow_respond": True, "allow_ignore": False}
    asked = {"action_request": {"action": "pay", "args": {"euros": 5}}, "config": config, "description": None}
    for value in ([asked], asked):
        form = form_of(value)
        assert json.loads(form["text"]) == [{"type": "accept", "args": None}]
        assert [choice[0] for choice in form["choices"]][1:] == [
            {"type": "edit", "args": {"action": "pay", "args": {"euros": 5}}},
            {"type": "response", "args": ""},
        ]


def test_only_what_all_calls_allow_is_offered():
    calls = [{"name": name, "args": {}} for name in ("a", "b")]
    configs = [
        {"action_name": "a", "allowed_decisions": ["approve", "reject"]},
        {"action_name": "b", "allowed_decisions": ["approve", "edit"]},
    ]
    form = form_of({"action_requests": calls, "review_configs": configs})
    assert form["choices"] == [{"decisions": [{"type": "approve"}, {"type": "approve"}]}]


def test_a_question_says_the_rest_of_its_value_below():
    asked = Question("q", {"question": "Send?", "draft": "Hi"}, "ask", "t", "()", True)
    item = question_item(asked, {"id": "q"})
    assert item["text"] == 'Send?\n{"draft": "Hi"}'
    assert (item["id"], item["node"], item["open"], item["form"]) == ("q", "ask", True, None)
    assert json.loads(item["value"]) == asked.value
    assert question_text([1]) == "[1]"
    assert question_item(Question("q", "x" * 5000, None, None, "", True), {})["text"].endswith(
        "… 3,000 more characters"
    )


@pytest.mark.parametrize(
    "value",
    [
        {"action_requests": []},
        {"action_requests": [None], "review_configs": [5]},
        {"action_requests": [{}], "review_configs": {"a": 1}},
        [{"action_request": {}}],
        [],
        {"type": "tool_approval"},
        {"type": ["x"], "choices": [], "schema": {"type": 5, "properties": 3}},
        {"schema": {"type": "object", "properties": []}},
        {"default": {"a": 1}},
    ],
)
def test_odd_values_are_asked_all_the_same(value):
    assert isinstance(question_text(value), str)
    form = form_of(value, {"oneOf": [None, {"$ref": "#/$defs/x"}], "$defs": []} if value else None)
    assert form is None or isinstance(form["text"], str)
