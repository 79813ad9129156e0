"""The component: the browser's part mounted in a page, its commands, and its feed where only Streamlit's paths are passed."""
