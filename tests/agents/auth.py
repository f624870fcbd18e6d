"""Who may do what on the tenants' server: each user sees what is their own, as LangGraph's documentation shows it.

A user is named by a bearer token, `ada` or `ada.no-copy`; the word after the dot takes a right away:

    no-search      assistants cannot be listed (403)
    no-assistants  nothing of assistants can be read (403)
    no-create      threads cannot be created, so not copied, either
    no-update      threads cannot be updated
    no-delete      threads cannot be deleted
    no-run         nothing can be run
    no-threads     threads cannot be listed
    no-memory      the store cannot be used
    no-writing     the store cannot be written to
    strict         a thread of another user is denied (403), not missing (404)
"""

from typing import Any

from langgraph_sdk import Auth

auth = Auth()
RIGHTS = {
    "no-search": {("assistants", "search")},
    "no-assistants": {("assistants", "search"), ("assistants", "read")},
    "no-create": {("threads", "create")},
    "no-update": {("threads", "update")},
    "no-delete": {("threads", "delete")},
    "no-run": {("threads", "create_run")},
    "no-threads": {("threads", "search")},
    "no-memory": {("store", action) for action in ("get", "search", "list_namespaces", "put", "delete")},
    "no-writing": {("store", "put"), ("store", "delete")},
}
OWNERS: dict[str, str] = {}  # of threads


@auth.authenticate
async def who(authorization: str | None) -> dict[str, Any]:
    scheme, _, token = (authorization or "").partition(" ")
    name, _, lacking = token.partition(".")
    if scheme.lower() != "bearer" or not name:
        raise Auth.exceptions.HTTPException(status_code=401, detail="no token")
    return {"identity": name, "permissions": [lacking]}


def check_right(ctx: Any) -> None:
    """Refuse what this user has no right to."""
    for lacking in ctx.permissions:
        if (ctx.resource, ctx.action) in RIGHTS.get(lacking, ()):
            raise Auth.exceptions.HTTPException(status_code=403, detail=f"{ctx.action} of {ctx.resource} is not yours")


@auth.on
async def own_only(ctx: Any, value: Any) -> Any:
    """Stamp what is made with its owner, and show to each user only what is their own."""
    check_right(ctx)
    anothers = OWNERS.get(str(value.get("thread_id")), ctx.user.identity) != ctx.user.identity
    if ctx.resource == "threads" and anothers and "strict" in ctx.permissions:
        raise Auth.exceptions.HTTPException(status_code=403, detail="this thread is not yours")
    if (ctx.resource, ctx.action) == ("threads", "create"):
        OWNERS.setdefault(str(value.get("thread_id")), ctx.user.identity)
    owner = {"owner": ctx.user.identity}
    metadata = value.setdefault("metadata", {})
    metadata.update(owner)
    return owner


@auth.on.store
async def own_memory(ctx: Any, value: Any) -> None:
    """Begin each namespace with the user, unless it does so already."""
    check_right(ctx)
    namespace = tuple(value.get("namespace") or ())
    value["namespace"] = namespace if namespace[:1] == (ctx.user.identity,) else (ctx.user.identity, *namespace)
