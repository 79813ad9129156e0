"""What this machine can take: memory, time, budgets, and whose turn it is. Imports no torch."""
