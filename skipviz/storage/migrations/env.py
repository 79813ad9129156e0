"""Where alembic finds the connection on which it is to run: `database` gives it, within a transaction of its own."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
