"""What a switchboard adds to the lines of its skips: one pale line for each source and reader, and a piece for each skip.

From a geometry to points: no colours, no words.
"""

from __future__ import annotations

from .geometry import Geometry, Point


def pale_lines(geometry: Geometry, board: int) -> list[list[Point]]:
    """Return each source's lane and each reader's row, once: what stays where all of their skips are off."""
    lines: dict[tuple, list[Point]] = {}
    for index in _members(geometry, board):
        link, (start, corner, dot, end) = geometry.plan.links[index], geometry.paths[index]
        lane = lines.setdefault(("from", link.start), [start, corner, dot])
        lane[2] = min(lane[2], dot, key=lambda point: point[1])
        row = lines.setdefault(("to", link.end), [dot, end])
        row[0] = max(row[0], dot, key=lambda point: abs(point[0] - end[0]))
    return list(lines.values())


def own_piece(geometry: Geometry, index: int) -> list[Point]:
    """Return the piece of a skip's line that no other skip is nearer to: from the dot before its own to the next one."""
    link, (start, corner, dot, end) = geometry.plan.links[index], geometry.paths[index]
    board = geometry.board[index]
    below = [geometry.paths[other][2] for other in geometry.board_ends["start", board, link.start] if other != index]
    below = [point for point in below if point[1] > dot[1]]
    beside = [geometry.paths[other][2] for other in geometry.board_ends["end", board, link.end] if other != index]
    beside = [point for point in beside if abs(point[0] - end[0]) < abs(dot[0] - end[0])]
    first = [min(below, key=lambda point: point[1])] if below else [start, corner]
    return [*first, dot, max(beside, key=lambda point: abs(point[0] - end[0])) if beside else end]


def _members(geometry: Geometry, board: int) -> list[int]:
    return [index for index, number in geometry.board.items() if number == board]
