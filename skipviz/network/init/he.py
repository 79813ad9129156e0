"""N(0, 2/fan-in), for rectifiers (He et al. 2015)."""

import math

from ..kind import Init


def fill(weight, fan_in, fan_out, source, nn):
    weight.normal_(0.0, math.sqrt(2 / fan_in), generator=source)


KIND = Init(number=2, name="he", words="He", fill=fill, paper="He et al. 2015")
