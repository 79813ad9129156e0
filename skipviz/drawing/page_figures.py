"""Which plotly figures each page has. Imports the standard library only."""

from __future__ import annotations

from .claim_figures import claim_figure
from .colours import THEMES
from .figures import heatmap_figure, loss_figure, picture_figure, rows_figure, strengths_figure, total_figure
from .several import columns_figure, losses_figure, metrics_figure, twin_figure
from .sweep_figures import cells_figure, lines_figure


def figures(page: str = "lab") -> dict[str, dict[str, dict]]:
    """Return every figure of a page by name and theme: `{"rows": {"light": …, "dark": …}, …}`."""
    several = {
        "heatmap": heatmap_figure,
        "picture": picture_figure,
        "columns": columns_figure,
        "losses": losses_figure,
        "metrics": metrics_figure,
    }
    makers = {
        "figure": {"loss": twin_figure},
        "sweep": {"cells": cells_figure, "lines": lines_figure},
        "evidence": {"claim": claim_figure},
        "compare": several,
        "lab": {**several, "loss": loss_figure, "total": total_figure, "strengths": strengths_figure},
    }
    made = {name: {theme: make(theme) for theme in THEMES} for name, make in makers.get(page, {}).items()}
    return made if page in ("sweep", "evidence") else {"rows": {theme: rows_figure(theme, page) for theme in THEMES}, **made}
