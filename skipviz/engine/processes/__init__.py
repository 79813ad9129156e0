"""The processes beside the server, and the line to them: workers and the prober. Imports torch in these only."""
