"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# A migration is a record of its day: it does not import what may change.
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
DOCUMENT = sa.JSON()


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="meta_pk"),
    )
    op.create_table(
        "channel",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="channel_pk"),
    )
    op.create_table(
        "site",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("baseline_at", MOMENT),
        sa.Column("tried_at", MOMENT),
        sa.Column("good_at", MOMENT),
        sa.Column("fails", sa.Integer, nullable=False),
        sa.Column("failing_since", MOMENT),
        sa.Column("nameless", sa.Integer, nullable=False),
        sa.Column("serial", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="site_pk"),
    )
    op.create_table(
        "connection",
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("row", DOCUMENT),
        sa.Column("known", sa.Text, nullable=False),
        sa.Column("since", MOMENT),
        sa.Column("seen_at", MOMENT),
        sa.Column("pending", DOCUMENT),
        sa.Column("logs_seen", DOCUMENT, nullable=False),
        sa.Column("absent_reads", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text),
        sa.Column("flips", DOCUMENT, nullable=False),
        sa.Column("stale", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("site", "id", name="connection_pk"),
        sa.ForeignKeyConstraint(["site"], ["site.name"], name="connection_site_fk"),
    )
    op.create_table(
        "thread",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("opened", MOMENT, nullable=False),
        sa.Column("mentions", DOCUMENT, nullable=False),
        sa.Column("escalate_to", DOCUMENT, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("closed", MOMENT),
        sa.Column("ack_by", DOCUMENT),
        sa.Column("ack_at", MOMENT),
        sa.Column("remind_at", MOMENT),
        sa.Column("reminders", sa.Integer, nullable=False),
        sa.Column("escalate_at", MOMENT),
        sa.Column("settle_at", MOMENT),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("flips", DOCUMENT, nullable=False),
        sa.Column("joined_at", MOMENT),
        sa.Column("told_down", sa.Integer, nullable=False),
        sa.Column("watched", sa.Integer, nullable=False),
        sa.Column("lists", DOCUMENT, nullable=False),
        sa.Column("silence", DOCUMENT),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("next_n", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="thread_pk"),
        sa.ForeignKeyConstraint(["site"], ["site.name"], name="thread_site_fk"),
    )
    op.create_index("thread_site_phase", "thread", ["site", "phase"])
    op.create_table(
        "episode",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("not_before", MOMENT),
        sa.Column("end", MOMENT),
        sa.Column("end_why", sa.Text),
        sa.Column("end_not_before", MOMENT),
        sa.Column("closing", sa.Text),
        sa.Column("row", DOCUMENT),
        sa.Column("families", DOCUMENT, nullable=False),
        sa.Column("failure", DOCUMENT),
        sa.Column("thread", sa.Text),
        sa.Column("told_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="episode_pk"),
        sa.ForeignKeyConstraint(["site"], ["site.name"], name="episode_site_fk"),
        sa.ForeignKeyConstraint(["thread"], ["thread.id"], name="episode_thread_fk"),
    )
    op.create_index("episode_site_end", "episode", ["site", "end"])
    op.create_index("episode_site_connection_start", "episode", ["site", "connection", "start"])
    op.create_index("episode_start", "episode", ["start"])
    op.create_index("episode_thread", "episode", ["thread"])
    still_open = sa.text('"end" IS NULL')
    op.create_index(
        "episode_open",
        "episode",
        ["site", "connection", "kind"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "mute",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("by", DOCUMENT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("end", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="mute_pk"),
        sa.ForeignKeyConstraint(["site"], ["site.name"], name="mute_site_fk"),
    )
    op.create_index("mute_site_end", "mute", ["site", "end"])
    op.create_table(
        "message",
        sa.Column("thread", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("params", DOCUMENT, nullable=False),
        sa.Column("closing", sa.Boolean, nullable=False),
        sa.Column("moot_from", sa.Integer),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("channel_id", sa.Text),
        sa.Column("ts", sa.Text),
        sa.Column("first_revision", sa.Integer),
        sa.Column("shown_revision", sa.Integer),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("first_tried_at", MOMENT),
        sa.Column("tried_at", MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("maybe_sent_before", sa.Boolean, nullable=False),
        sa.Column("twin_at", MOMENT),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("thread", "n", name="message_pk"),
        sa.ForeignKeyConstraint(["thread"], ["thread.id"], name="message_thread_fk"),
    )
    waiting = sa.text(
        "state IN ('new', 'maybe', 'held') OR state = 'sent' AND shown_revision < revision OR twin_at IS NOT NULL"
    )
    op.create_index("message_waiting", "message", ["thread", "n"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("thread", sa.Text),
        sa.PrimaryKeyConstraint("id", name="event_pk"),
        sa.ForeignKeyConstraint(["site"], ["site.name"], name="event_site_fk"),
    )
    op.create_index("event_at", "event", ["at"])
    op.create_index("event_site_connection_at", "event", ["site", "connection", "at"])
