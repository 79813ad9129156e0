"""Builds networks in torch, probes them and trains them. Imports torch (except `frame`), never streamlit."""
