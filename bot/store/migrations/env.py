"""Alembic runs this file to bring the tables up to date; `schema.migrate` hands it the open transaction."""

from alembic import context

from bot.store.schema import VERSION_TABLE
from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # True on both databases, as `engine` begins them: all steps or none.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
