"""N(0, 1/fan-in)."""

import math

from ..kind import Init


def fill(weight, fan_in, fan_out, source, nn):
    weight.normal_(0.0, math.sqrt(1 / fan_in), generator=source)


KIND = Init(number=4, name="normal", words="N(0, 1/n)", fill=fill)
