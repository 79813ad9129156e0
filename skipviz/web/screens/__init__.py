"""One page a file, and how the lab is opened: they put the parts together and hold no logic of their own.

A folder called `pages` beside the main script would be taken by Streamlit for pages of its own.
"""
