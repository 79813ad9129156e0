"""U(±√(6/(fan-in + fan-out))) (Glorot & Bengio 2010)."""

import math

from ..kind import Init


def fill(weight, fan_in, fan_out, source, nn):
    bound = math.sqrt(6 / (fan_in + fan_out))
    weight.uniform_(-bound, bound, generator=source)


KIND = Init(number=3, name="glorot", words="Glorot", fill=fill, paper="Glorot & Bengio 2010")
