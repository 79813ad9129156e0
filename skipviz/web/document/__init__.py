"""Lab documents: what each lab holds, on the server, and the one way in which it is changed. Imports no streamlit."""
