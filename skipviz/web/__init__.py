"""Streamlit pages, components and HTTP routes: places and calls, no logic of its own."""
