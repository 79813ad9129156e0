"""What the browser's part is made of and told. Imports no streamlit."""
