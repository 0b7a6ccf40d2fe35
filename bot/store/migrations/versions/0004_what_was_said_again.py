"""A thread knows that it was escalated, and not only that it is not to be; and that the end of its silence is owed."""

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("thread", sa.Column("escalated_at", MOMENT))
    op.add_column("thread", sa.Column("owed", sa.Boolean, nullable=False, server_default=sa.false()))
    # Once is once, whatever the settings become.
    op.execute(
        "UPDATE thread SET escalated_at = (SELECT max(created_at) FROM message "
        "WHERE message.thread = thread.id AND message.kind = 'escalated') WHERE phase = 'open'"
    )
