"""A task's data as the source of a function `data()`, which calls what `skipviz.tasks` makes it with, as it stands."""

from __future__ import annotations

from ...tasks.data import facts
from ...tasks.task import Task
from .live import literal
from .own_words import sentence
from .source import Sources

DATA = '''
def data():
    """{sentence}"""
    rng = np.random.default_rng([{seed}, {number}])
'''
SPLIT = """    x, y = {made}
    kept, held = split(y, rng)
    return x[kept], y[kept], x[held], y[held]
"""


def data_source(task: Task, sources: Sources) -> str:
    """Return the source of `data()`; the functions that it calls come into `sources`."""
    kind = task.kind
    name = sources.add(f"{kind.made.__module__}:{kind.made.__name__}")
    given = {name: "TEXT.strip()" if name == "text" else literal(value) for name, value in facts(task).items()}
    made = f"{name}({', '.join(['rng', *(f'{name}={value}' for name, value in given.items())])})"
    head = DATA.format(sentence=sentence(task), seed=task.seed, number=kind.number)
    return head + (f"    return {made}\n" if kind.holds_out else SPLIT.format(made=made))
