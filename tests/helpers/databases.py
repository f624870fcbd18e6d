"""Databases in the Postgres of the test run."""

import uuid

import psycopg


def fresh_database(server):
    """The address of a new database, which no other test knows."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return server.replace("/postgres?", f"/{name}?")
