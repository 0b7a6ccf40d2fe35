"""What is down beside a group, and what silences its parts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # What was told before says nothing of it until something of it changes.
    op.add_column("thread", sa.Column("elsewhere", sa.Integer, nullable=False, server_default="0"))
    op.add_column("thread", sa.Column("unsaid", sa.Integer, nullable=False, server_default="0"))
    op.add_column("thread", sa.Column("silences", sa.JSON()))
