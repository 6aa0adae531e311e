"""Inserting what may be there already.

Sources: SQLAlchemy 2 documentation, "SQLite: INSERT...ON CONFLICT" and "PostgreSQL: INSERT...ON CONFLICT".
"""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def upsert(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert into a table that can say what becomes of rows that are there: each kind of database has its own."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
