"""U(±1/√fan-in), as torch's own modules are filled: kaiming_uniform with a = √5."""

import math

from ..kind import Init


def fill(weight, fan_in, fan_out, source, nn):
    weight.uniform_(-1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in), generator=source)


KIND = Init(number=1, name="torch", words="torch’s", fill=fill, biases=True)
