"""The lab's set-up, in Streamlit's own widgets."""
