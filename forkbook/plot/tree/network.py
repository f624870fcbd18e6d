"""The tree as a networkx graph."""

from typing import TYPE_CHECKING

from ...facts import Facts

if TYPE_CHECKING:
    import networkx as nx


def digraph(facts: Facts) -> "nx.DiGraph[str]":
    """A DiGraph from parent to child; nodes are checkpoint ids, oldest first.

    Node attributes: `short_id`, `step`, `source`, `title` (what made it), `branch`, `status`, `next` (tuple of node
    names or None), `is_tip`, `is_fork_point`, `interrupted` (bool), `error`, `created_at` (datetime or None), `run_id`,
    `n_messages`, `context_tokens`, `spent_tokens` (or None), `known_tokens`, `unknown_channels` (a tuple of names;
    where there are any, numbers are None), `position`, `checkpoint_ns`. Edge attributes: `seconds` (or None); `inside`,
    whether it leads from the checkpoint whose task ran a subgraph to that subgraph's root.
    Graph attributes: `thread_id`, `checkpoint_ns`.
    """
    import networkx as nx

    tree, accounts = facts.tree, facts.ledger
    graph: nx.DiGraph[str] = nx.DiGraph(thread_id=facts.thread_id, checkpoint_ns="")
    for position, (head, state) in enumerate(zip(tree.heads, facts.states, strict=True)):
        spent = accounts.totals([position])
        graph.add_node(
            head.id,
            short_id=head.id[-6:],
            step=head.step,
            source=head.source,
            title=facts.title(position),
            branch=tree.label(position),
            status=facts.status(position),
            next=None if state["next"] is None else tuple(state["next"]),
            is_tip=not tree.children[position],
            is_fork_point=len(tree.children[position]) > 1,
            interrupted=bool(facts.interrupts(position)),
            error=facts.error(position),
            created_at=facts.created_at(position),
            run_id=(state["metadata"] or {}).get("run_id"),
            n_messages=accounts.n_messages[position],
            context_tokens=accounts.context[position],
            spent_tokens=None if spent.is_nothing else spent.total,
            known_tokens=None if spent.is_nothing else spent.known.total,
            unknown_channels=tuple(facts.holdings[position].hidden),
            position=position,
            checkpoint_ns=head.ns,
        )
        if (parent := tree.parents[position]) >= 0:
            graph.add_edge(tree.heads[parent].id, head.id, seconds=facts.seconds(position), inside=False)
        elif (host := tree.inside[position]) >= 0:
            graph.add_edge(tree.heads[host].id, head.id, seconds=None, inside=True)
    return graph
