"""Sessions racing for leases, and a judge who believes only the database."""
