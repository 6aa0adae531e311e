"""How the tables came to be what they are, step by step. Run by ``Database.upgrade``; see Alembic's documentation."""
