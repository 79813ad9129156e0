"""Random graphs for hypothesis: layers and merges beside each other, edges with adapters, strengths and gains of their own."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from skipviz import Adapter, Convolution, Edge, Head, Join, Network, Node, Pool
from skipviz.network.merge import CHOSEN, MERGES
from skipviz.network.operation import OPERATIONS

MOST_NODES = 9
OPERATIONS_DRAWN = (
    Convolution(width=2, kernel=3),
    Convolution(width=3, kernel=1),
    Convolution(width=2, kernel=3, stride=2),
    Pool(reduce="max", kernel=2, stride=2),
    OPERATIONS["identity"](),
)


@st.composite
def nodes(draw, name: str) -> Node:
    if draw(st.booleans()):
        return Node(id=name, op=Join(kind=draw(st.sampled_from(sorted(CHOSEN))), gate_bias=0.5))
    return Node(
        id=name,
        op=draw(st.sampled_from(OPERATIONS_DRAWN)),
        activation=draw(st.sampled_from(("none", "tanh", "relu"))),
        norm=draw(st.sampled_from(("none", "none", "batch"))),
        order=draw(st.sampled_from(("op-norm-act", "norm-act-op"))),
        drop_path=draw(st.sampled_from((0.0, 0.25))),
        gain=draw(st.sampled_from((1.0, 1.0, 0.3))),
        on=draw(st.sampled_from((True, True, True, False))),
    )


@st.composite
def edges(draw, source: str, target: str, port: int) -> Edge:
    if draw(st.booleans()):
        return Edge(source=source, target=target, port=port)
    adapter = Adapter(
        channels=draw(st.sampled_from(("auto", "auto", "project", "pad"))),
        spatial=draw(st.sampled_from(("auto", "auto", "stride", "resize", "crop"))),
        norm=draw(st.sampled_from(("none", "batch"))),
    )
    return Edge(
        source=source,
        target=target,
        port=port,
        on=draw(st.sampled_from((True, True, False))),
        strength=draw(st.sampled_from((1.0, 0.3, -2.0, 0.0))),
        gain=draw(st.sampled_from((1.0, 0.7))),
        adapter=adapter if port else Adapter(),
    )


@st.composite
def graphs(draw) -> Network:
    """Any graph of a few nodes that a network can be made of; an impossible node is left out."""
    chosen, leading = [Node(id="n0", op=OPERATIONS_DRAWN[0], activation="tanh")], [Edge(source="x", target="n0")]
    found = None
    for k in range(1, draw(st.integers(2, MOST_NODES))):
        node, names = draw(nodes(f"n{k}")), ["x", *(one.id for one in chosen)]
        count = 1 if not node.is_merge else 2 if MERGES[node.op.kind].alone else draw(st.integers(1, 3))
        sources = draw(st.lists(st.sampled_from(names[-4:]), min_size=count, max_size=count, unique=count <= len(names[-4:])))
        into = [draw(edges(source, node.id, port)) for port, source in enumerate(sources)]
        try:
            found = Network(
                inputs={"x": (2, 6, 6)},
                nodes=[*chosen, node],
                edges=[*leading, *into],
                output=node.id,
                head=Head(kind="classes", outputs=2),
            )
        except ValueError:
            continue
        chosen.append(node)
        leading += into
    assume(found is not None and found.branches)
    return found
