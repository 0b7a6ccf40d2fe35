"""The tables: what is remembered. `migrations/` makes them; a test holds the two together.

Each column is the field of the same name of a `core` value, unless said otherwise. Nothing refers to a connection's row
by key: episodes and events outlive the connection that they are about.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    false,
    literal_column,
    or_,
)

from bot.store.columns import Document, ForeignText, Moment

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "ix": "%(table_name)s_%(column_0_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about the database itself, such as `install_id`."""

channel = Table(
    "channel",
    metadata,
    Column("name", Text, primary_key=True),
    Column("channel_id", Text, nullable=False),
)
"""Channels that were given by name, resolved once."""

site = Table(
    "site",
    metadata,
    Column("name", Text, primary_key=True),
    Column("baseline_at", Moment),
    Column("tried_at", Moment),
    Column("good_at", Moment),
    Column("fails", Integer, nullable=False),
    Column("failing_since", Moment),
    Column("nameless", Integer, nullable=False),
    Column("serial", Integer, nullable=False),
)

connection = Table(
    "connection",
    metadata,
    Column("site", ForeignKey("site.name"), primary_key=True),
    Column("id", ForeignText, primary_key=True),
    Column("row", Document),
    Column("known", Text, nullable=False),
    Column("since", Moment),
    Column("seen_at", Moment),
    Column("pending", Document),
    Column("logs_seen", Document, nullable=False),
    Column("absent_reads", Integer, nullable=False),
    Column("problem", ForeignText),
    Column("flips", Document, nullable=False),
    Column("stale", Boolean, nullable=False),
)

thread = Table(
    "thread",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site", ForeignKey("site.name"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("opened", Moment, nullable=False),
    Column("mentions", Document, nullable=False),
    Column("escalate_to", Document, nullable=False),
    Column("phase", Text, nullable=False),
    Column("closed", Moment),
    Column("ack_by", Document),
    Column("ack_at", Moment),
    Column("remind_at", Moment),
    Column("reminders", Integer, nullable=False),
    Column("escalate_at", Moment),
    Column("escalated_at", Moment),
    Column("settle_at", Moment),
    Column("changes", Integer, nullable=False),
    Column("flips", Document, nullable=False),
    Column("joined_at", Moment),
    Column("told_down", Integer, nullable=False),
    Column("watched", Integer, nullable=False),
    # Columns that came later have a default for the rows that were there.
    Column("elsewhere", Integer, nullable=False, server_default="0"),
    Column("unsaid", Integer, nullable=False, server_default="0"),
    Column("lists", Document, nullable=False),
    Column("silence", Document),
    Column("silences", Document),
    Column("owed", Boolean, nullable=False, server_default=false()),
    Column("revision", Integer, nullable=False),
    Column("next_n", Integer, nullable=False),
    Index("thread_site_phase", "site", "phase"),
)

episode = Table(
    "episode",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site", ForeignKey("site.name"), nullable=False),
    Column("connection", ForeignText, nullable=False),
    Column("kind", Text, nullable=False),
    Column("start", Moment, nullable=False),
    Column("why", Text, nullable=False),
    Column("not_before", Moment),
    Column("end", Moment),
    Column("end_why", Text),
    Column("end_not_before", Moment),
    Column("closing", Text),
    Column("row", Document),
    Column("families", Document, nullable=False),
    Column("failure", Document),
    Column("thread", ForeignKey("thread.id")),
    Column("told_at", Moment),
    Index("episode_site_end", "site", "end"),
    # For the history of one connection, among all that `keep_events` keeps.
    Index("episode_site_connection_start", "site", "connection", "start"),
    Index("episode_start", "start"),
    Index("episode_thread", "thread"),
)

# At most one open episode of a kind for each connection: the database itself refuses a second one.
Index(
    "episode_open",
    episode.c.site,
    episode.c.connection,
    episode.c.kind,
    unique=True,
    sqlite_where=episode.c.end.is_(None),
    postgresql_where=episode.c.end.is_(None),
)

mute = Table(
    "mute",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site", ForeignKey("site.name"), nullable=False),
    Column("connection", ForeignText, nullable=False),
    Column("by", Document, nullable=False),
    Column("reason", ForeignText, nullable=False),
    Column("start", Moment, nullable=False),
    Column("end", Moment, nullable=False),
    Index("mute_site_end", "site", "end"),
)

message = Table(
    "message",
    metadata,
    # Written by decisions:
    Column("thread", ForeignKey("thread.id"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("params", Document, nullable=False),
    # Of `Revision`: the edit ends something.
    Column("closing", Boolean, nullable=False),
    Column("moot_from", Integer),
    Column("created_at", Moment, nullable=False),
    # Written by the delivery (`outbox.Outgoing`):
    Column("state", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("channel_id", Text),
    Column("ts", Text),
    Column("first_revision", Integer),
    Column("shown_revision", Integer),
    Column("form", Text, nullable=False),
    Column("due_at", Moment),
    Column("first_tried_at", Moment),
    Column("tried_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("maybe_sent_before", Boolean, nullable=False),
    Column("twin_at", Moment),
    Column("error", ForeignText),
    Column("replaces", Text),
)

# Written as literals, since a partial index serves a query only where both say the very same.
UNSENT = message.c.state.in_([literal_column("'new'"), literal_column("'maybe'"), literal_column("'held'")])
"""Slack does not have it, as far as is known."""
UNSHOWN = and_(message.c.state == literal_column("'sent'"), message.c.shown_revision < message.c.revision)
"""Slack has it in an older revision."""
WAITING = or_(UNSENT, UNSHOWN, message.c.twin_at.is_not(None))
"""The delivery has something to do. Of the many messages of `keep_events` these are few."""

Index("message_waiting", message.c.thread, message.c.n, sqlite_where=WAITING, postgresql_where=WAITING)

event = Table(
    "event",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("site", ForeignKey("site.name"), nullable=False),
    Column("connection", ForeignText, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("data", Document, nullable=False),
    Column("thread", Text),
    Index("event_at", "at"),
    Index("event_site_connection_at", "site", "connection", "at"),
)
