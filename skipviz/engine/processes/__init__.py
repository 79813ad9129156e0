"""The processes beside the server, and the line to them: workers and the initialisation worker. Imports torch in these only."""
