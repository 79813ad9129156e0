"""What the first page says of the figure and of its panels."""

from __future__ import annotations

TITLE = "Figure 4.9, alive"
INTRO = (
    "Three ways to let a signal skip layers. Each network trains beside its twin, the same network without skips. Line width is "
    "the gradient. Click a red line to switch it off, or a ▽ to kill the gradient there: a run of your own starts at once."
)
PANELS = {
    "left": (
        "Any layer to any later layer",
        "What a layer gives is appended to a later one's input. Shut the valve beside f(5): the layers below it still learn, "
        "for their gradient goes around it; the twin's get none.",
    ),
    "center": (
        "Down-scaling, then up-scaling",
        "Two halvings, two doublings; each skip joins layers of one scale, past the smaller ones. The twin finds no shape in "
        "its steps. Switch the outer skip off: the masks stay coarser.",
    ),
    "right": (
        "Residual",
        "The skip is added, and passes one block, whose output is multiplied by 1/√(blocks). Repeat it up to ×200: the first "
        "layer's gradient stays near the last's, and it learns; from ×2 on its twin guesses.",
    ),
}
"""Title and text of each panel."""
