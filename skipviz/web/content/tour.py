"""The guided tour: six steps from a deep plain network that stalls to a link that shares what was found."""

from __future__ import annotations

from ...sharing.tour import Step

PLAIN, U_SHAPED = "vanishing-plain", "figure-4-9-center"
HELD = 100
"""Step at which the plain network is looked at."""

STEPS = (
    Step(
        f"24 layers without skips learn to tell two spirals apart. After {HELD} steps the loss stands at 0.69, "
        "as it does for who guesses: the network stalls.",
        "loss",
        experiment=PLAIN,
        train=HELD,
        terms=("loss", "metric"),
    ),
    Step(
        "Look at the first layer. Its gradient is less than a millionth of the last layer's: what it would have to learn does "
        "not reach it.",
        "first-layer",
        experiment=PLAIN,
        train=HELD,
        terms=("weight_gradient", "lines"),
    ),
    Step(
        "Residual was pressed while it trains: the same weights, with 11 skips on. One step later the first layer gets more than "
        "a hundredth of the last's gradient.",
        "skips",
        experiment=PLAIN,
        train=HELD,
        skips=True,
        terms=("skip", "hollow", "share"),
    ),
    Step(
        "The valve beside f(5) is shut: no gradient goes back through that layer. Those below it still learn, for their gradient "
        "goes around it on the skips.",
        "left-valve",
        shut=("f5",),
        terms=("gain", "twin"),
    ),
    Step(
        "A U-Net, scale by scale: levels of 32, 16 and 8 pixels. Each skip joins the two sides of one level, past "
        "the smaller ones.",
        "layout",
        experiment=U_SHAPED,
        layout="u",
        terms=("skip", "lane"),
    ),
    Step(
        "Share makes a link of the network, its task and its seed. Who opens it has the same experiment; a lesson's link can "
        "carry a tour of your own.",
        "share",
    ),
)
