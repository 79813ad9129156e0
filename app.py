"""The ASGI entry: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from skipviz.web.http.routes import lifespan, middleware, routes

app = st.App(Path(__file__).parent / "skipviz" / "web" / "main.py", routes=routes, middleware=middleware, lifespan=lifespan)
