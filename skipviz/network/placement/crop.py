"""A window."""

from ..kind import Placement


def misfit(between) -> str | None:
    inside = all(part.start >= 0 and part.stop <= side for part, side in zip(between.window, between.here, strict=True))
    return None if inside else "nothing can be cropped"


def written(state: str, between) -> str:
    window = ", ".join(f"{part.start}:{part.stop}" for part in between.window)
    return f"{state}[..., {window}{'' if between.images else ', :'}]"


KIND = Placement(number=2, name="crop", words="crop", offset=True, misfit=misfit, written=written)
