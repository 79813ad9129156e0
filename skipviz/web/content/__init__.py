"""What the browser's part is made of, and its data. Imports no streamlit."""
