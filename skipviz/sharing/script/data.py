"""A task's data as the source of a function `data()`, number for number what `skipviz.tasks` makes. Imports no numpy."""

from __future__ import annotations

from ...tasks.task import Task

SPLIT = '''
def split(x, y, rng):
    """Hold a fifth of each class out and shuffle: return x and y to train on, then those held out."""
    held_out = np.zeros(len(x), dtype=bool)
    groups = [np.arange(len(x))] if y.ndim > 1 else [np.flatnonzero(y == label) for label in np.unique(y)]
    for group in groups:
        held_out[rng.permutation(group)[: max(1, len(group) // 5)]] = True
    kept, held = rng.permutation(np.flatnonzero(~held_out)), rng.permutation(np.flatnonzero(held_out))
    return x[kept], y[kept], x[held], y[held]
'''

_TWO_CLASSES = "    labels = np.arange({samples}, dtype=np.int64) % 2\n"
_NOISY = """    points = points + rng.normal(0, 1, points.shape) * {noise} * {unit}
    return split(points.astype(np.float32), labels, rng)
"""

POINTS = {
    "spiral": (
        """    turn = np.sqrt(rng.uniform(0, 1, len(labels)))
    angle = 1.5 * 2 * np.pi * turn + np.pi * labels
    points = turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
""",
        "(1 / 6)",
    ),
    "moons": (
        """    angle = rng.uniform(0, np.pi, len(labels))
    sign = 1 - 2 * labels
    points = np.stack([np.cos(angle) * sign + labels - 0.5, np.sin(angle) * sign + 0.5 * labels - 0.25], axis=1) / 1.5
""",
        "(1 / 1.5)",
    ),
    "circles": (
        """    inner, ring = rng.uniform(0, 1, len(labels)), rng.uniform(0.7, 1.0, len(labels))
    radius = np.where(labels == 0, 0.5 * np.sqrt(inner), ring)
    angle = rng.uniform(0, 2 * np.pi, len(labels))
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
""",
        "0.5",
    ),
    "xor": (
        """    side = rng.choice([-1.0, 1.0], len(labels))
    corner = rng.uniform(0.08, 1.0, (len(labels), 2))
    points = corner * np.stack([side, side * (1 - 2 * labels)], axis=1)
""",
        "0.5",
    ),
    "gaussians": ("    points = np.where(labels[:, None] == 0, -0.5, 0.5) * np.ones((1, 2))\n", "1.0"),
}
"""How points in the plane are made, and the unit of their noise."""

DIGITS = """    folder = Path(importlib.util.find_spec("sklearn").origin).parent  # read, not imported: that takes seconds
    table = np.loadtxt(folder / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    chosen = rng.permutation(len(table))[:{samples}]
    pixels, labels = table[chosen, :-1].reshape(-1, 1, 8, 8) / 16.0, table[chosen, -1].astype(np.int64)
    pixels = (pixels - 0.305) / 0.376  # mean and deviation of all pixels
    pixels = pixels + rng.normal(0, 1, pixels.shape) * {noise}
    return split(pixels.astype(np.float32), labels, rng)
"""

CURVE = """    x = {x}
    number = np.arange(1, 6)
    phase = np.random.default_rng([{seed}, 5]).uniform(0, 2 * np.pi, 5)
    share = 1 / number
    y = np.sin(np.pi / 2.0 * x[:, None] * number + phase) @ share / np.sqrt((share**2).sum() / 2)
    y = y + rng.normal(0, 1, len(x)) * {noise}
    return split(x[:, None].astype(np.float32), y[:, None].astype(np.float32), rng)
"""

SEQUENCES = """{given}    wanted = {wanted}
    return split(given, wanted, rng)
"""
LISTED = """    chosen = rng.permutation({vocabulary} ** {length})[:{samples}]
    given = chosen[:, None] // {vocabulary} ** np.arange({length}) % {vocabulary}
"""
DRAWN = """    given = np.empty((0, {length}), dtype=np.int64)
    while len(given) < {samples}:
        more = rng.integers(0, {vocabulary}, ({samples} - len(given), {length}))
        given = np.unique(np.concatenate([given, more]), axis=0)
    given = rng.permutation(given)
"""
RULES = {
    "copy": "given.copy()",
    "reverse": "given[:, ::-1].copy()",
    "sort": "np.sort(given, axis=1)",
    "add": "(given + np.roll(given, 1, axis=1)) % {vocabulary}",
}

TEXT = """    passage = "\\n" + "".join(" ".join(part.split()) + "\\n" for part in TEXT.strip().split("\\n\\n"))
    characters = "".join(sorted(set(passage)))
    tokens = np.array([characters.index(character) for character in passage], dtype=np.int64)
    cut, parts = len(tokens) - len(tokens) // 5, []
    for part, count in ((tokens[:cut], {kept}), (tokens[cut:], {held})):
        first = rng.integers(0, len(part) - {length}, count)
        read = part[first[:, None] + np.arange({length} + 1)]
        parts += [read[:, :-1].copy(), read[:, 1:].copy()]
    return tuple(parts)
"""

SHAPES = """    images, masks = np.zeros((2, {samples}, 1, {size}, {size}), dtype=np.float32)
    grid = np.mgrid[:{size}, :{size}]
    for image, mask in zip(images, masks):
        for _ in range(rng.integers(2, 5)):
            inside = {placed}
            mask[0][inside] = 1
            image[0][inside] = rng.uniform(0.6, 1.0)
    images += rng.standard_normal(images.shape, dtype=np.float32) * np.float32({noise})
    return split(images, masks, rng)


def shape(grid, rng):
    \"\"\"Return the pixels of a disc, a square, a triangle or a star.\"\"\"
    radius = rng.uniform({size} / 16, {size} / 6)
    centre = rng.uniform(radius, {size} - 1 - radius, 2)
    y, x = grid[0] - centre[0], grid[1] - centre[1]
    kind = rng.integers(4)
    if kind == 0:
        return x**2 + y**2 <= radius**2
    if kind == 1:
        return np.maximum(np.abs(x), np.abs(y)) <= radius
    if kind == 2:
        return (np.abs(y) <= radius) & (np.abs(x) <= (y + radius) / 2)
    half, waist, turned = np.pi / 5, 0.45 * radius, rng.uniform(0, 2 * np.pi)
    angle = np.abs((np.arctan2(y, x) + turned + half) % (2 * half) - half)
    along, across = np.hypot(x, y) * np.cos(angle), np.hypot(x, y) * np.sin(angle)
    return (waist * np.cos(half) - radius) * across - waist * np.sin(half) * (along - radius) >= 0
"""
APART = '''

def apart(grid, taken, rng):
    """Return a shape that covers nothing that is taken, or after 20 tries no pixels."""
    for _ in range(20):
        inside = shape(grid, rng)
        if not taken[inside].any():
            return inside
    return np.zeros_like(inside)
'''

MEMBRANES = """    images, masks = np.zeros((2, {samples}, 1, {size}, {size}), dtype=np.float32)
    grid = np.mgrid[:{size}, :{size}].astype(np.float32) / {size}
    for image, mask in zip(images, masks):
        cell, wall = cells(grid, rng)
        mask[0] = wall
        image[0] = rng.uniform(0.6, 1.0, 14)[cell] + waves(grid, rng, 0.08)
        for _ in range(5):  # dark blobs that are no membrane
            y, x = grid - rng.uniform(0, 1, 2)[:, None, None]
            image[0][np.hypot(x, y) < rng.uniform(0.02, 0.05)] = 0.3
        image[0] = np.where(wall, 0.3 + waves(grid, rng, 0.2), image[0])
    images += rng.standard_normal(images.shape, dtype=np.float32) * np.float32({noise})
    return split(images, masks, rng)


def cells(grid, rng):
    \"\"\"Return in which cell each pixel lies, and whether in a membrane: about equally near to two centres.\"\"\"
    centres = rng.uniform(0, 1, (rng.integers(8, 15), 2)).astype(np.float32)
    squares = ((grid[None] - centres[:, :, None, None]) ** 2).sum(1)
    nearest, second = np.argsort(squares, axis=0)[:2]
    two = [np.take_along_axis(squares, place[None], 0)[0] for place in (nearest, second)]
    apart = np.linalg.norm(centres[nearest] - centres[second], axis=-1)
    return nearest, (two[1] - two[0]) / (2 * apart) < 1 / 32


def waves(grid, rng, height):
    \"\"\"Return a texture: waves in a random direction.\"\"\"
    turn, number = rng.uniform(0, 2 * np.pi), rng.uniform(4, 10)
    along = np.cos(turn) * grid[0] + np.sin(turn) * grid[1]
    return height * np.sin(2 * np.pi * number * along + rng.uniform(0, 2 * np.pi))
"""


def data_source(task: Task) -> str:
    """Return the source of `data()` and of the functions it calls."""
    facts = {
        "samples": task.sample_count(), "noise": repr(task.noise_level()), "size": task.image_size, "seed": task.seed,
        "length": task.tokens(), "vocabulary": task.vocabulary,
    }  # fmt: skip
    lines = [
        "\ndef data():",
        f'    """{task.kind.title}: {task.sentence()}. Return x and y to train on, then those held out."""',
        f"    rng = np.random.default_rng([{task.seed}, {task.kind.number}])",
    ]
    body, after = _body(task, facts), "" if task.name == "text" else "\n" + SPLIT
    return "\n".join(lines) + "\n" + body + after


def _body(task: Task, facts: dict) -> str:
    if task.name in POINTS:
        points, unit = POINTS[task.name]
        return _TWO_CLASSES.format(**facts) + points + _NOISY.format(unit=unit, **facts)
    if task.name == "digits":
        return DIGITS.format(**facts)
    if task.name in ("regression", "line"):
        drawn = "rng.uniform(-2.0, 2.0, {samples})" if task.name == "regression" else "np.linspace(-2.0, 2.0, {samples})"
        return CURVE.format(x=drawn.format(**facts), **facts)
    if task.name == "sequences":
        given = (LISTED if task.vocabulary ** task.tokens() <= 2**18 else DRAWN).format(**facts)
        return SEQUENCES.format(given=given, wanted=RULES[task.rule].format(**facts))
    if task.name == "text":
        held = task.sample_count() // 5
        return TEXT.format(kept=task.sample_count() - held, held=held, **facts)
    if task.name == "membranes":
        return MEMBRANES.format(**facts)
    placed = "shape(grid, rng)" if task.overlap else "apart(grid, mask[0], rng)"
    return SHAPES.format(placed=placed, **facts) + ("" if task.overlap else APART)
