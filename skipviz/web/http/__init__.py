"""The routes under /skipviz, the stream, the middleware: what a browser reaches without Streamlit. Imports no streamlit."""
