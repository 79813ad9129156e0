"""Drawing: row table, diagram geometry and SVG, plotly figures; from network and frames, without streamlit and torch."""
