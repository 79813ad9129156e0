"""The soft Dice loss of V-Net (Milletari et al. 2016)."""

from ..objective_kind import Loss

FACTS = {
    "function": "skipviz.learning.loss.dice:dice_loss",
    "replaces": ("binary_cross_entropy", "pixel_cross_entropy"),
    "only": "Dice is a loss of masks, and {} has none",
    "help": "Soft Dice, 1 − 2Σpg / (Σp² + Σg²) of each class in the batch, p the probability and g the truth of a pixel",
    "keeps": 3,  # the probabilities, those of pixels that count, and the truth of each class
}
KIND = Loss(number=6, name="dice", words="Dice", **FACTS)
