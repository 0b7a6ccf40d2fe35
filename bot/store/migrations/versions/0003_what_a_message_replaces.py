"""A message that was posted anew knows which one it takes the place of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("message", sa.Column("replaces", sa.Text))
