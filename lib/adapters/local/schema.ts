/**
 * The one SQLite file, grown step by step. Step n takes a file from `user_version` n-1 to n; a step that was released
 * is never edited, a new one is added. All times are epoch milliseconds.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE jobs (
    tenant     TEXT NOT NULL,
    job_id     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    status     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (tenant, job_id)
  ) STRICT;
  CREATE INDEX jobs_newest ON jobs (tenant, created_at, job_id);
  CREATE INDEX jobs_newest_by_status ON jobs (tenant, status, created_at, job_id);

  CREATE TABLE idempotency (
    tenant      TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    job_id      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, key),
    FOREIGN KEY (tenant, job_id) REFERENCES jobs (tenant, job_id) ON DELETE CASCADE
  ) STRICT;
  CREATE INDEX idempotency_job ON idempotency (tenant, job_id);
  CREATE INDEX idempotency_age ON idempotency (created_at);

  CREATE TABLE tokens (
    token_id   TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    salt       TEXT NOT NULL,
    hash       TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  -- receipt: set while somebody has claimed the message. visible_at: when it may be received next.
  CREATE TABLE messages (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    queue         TEXT NOT NULL,
    message_id    TEXT NOT NULL UNIQUE,
    body          TEXT NOT NULL,
    sent_at       INTEGER NOT NULL,
    visible_at    INTEGER NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0,
    receipt       TEXT UNIQUE
  ) STRICT;
  CREATE INDEX messages_next ON messages (queue, visible_at, seq);

  -- file: the name of the bytes in objects/data, random and never used again.
  CREATE TABLE objects (
    key          TEXT PRIMARY KEY,
    file         TEXT NOT NULL UNIQUE,
    size_bytes   INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    etag         TEXT NOT NULL,
    created_at   INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE uploads (
    upload_id    TEXT PRIMARY KEY,
    key          TEXT NOT NULL,
    content_type TEXT NOT NULL,
    created_at   INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE parts (
    upload_id   TEXT NOT NULL REFERENCES uploads (upload_id) ON DELETE CASCADE,
    part_number INTEGER NOT NULL,
    file        TEXT NOT NULL UNIQUE,
    size_bytes  INTEGER NOT NULL,
    md5         TEXT NOT NULL,
    PRIMARY KEY (upload_id, part_number)
  ) STRICT;
  `,
  `
  -- Of the messages of one group only the first has its real visible_at, the others a time that never comes: the index
  -- messages_next holds no message that would have to be passed over. due_at: when a message may be received, were it
  -- alone; those of a group follow each other in this order.
  ALTER TABLE messages ADD COLUMN group_id TEXT;
  ALTER TABLE messages ADD COLUMN due_at INTEGER;
  CREATE INDEX messages_group ON messages (queue, group_id, visible_at, due_at, seq) WHERE group_id IS NOT NULL;
  CREATE INDEX messages_tried ON messages (queue, visible_at, receive_count) WHERE receive_count > 0;

  CREATE TABLE sent_ids (
    queue   TEXT NOT NULL,
    id      TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (queue, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sent_ids_age ON sent_ids (sent_at);

  -- session: a number that no later session gets, also not one with the same name.
  CREATE TABLE sessions (
    session    INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant     TEXT NOT NULL,
    session_id TEXT NOT NULL,
    version    INTEGER NOT NULL,
    state      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    UNIQUE (tenant, session_id)
  ) STRICT;
  CREATE INDEX sessions_newest ON sessions (tenant, created_at, session_id);
  CREATE INDEX sessions_open ON sessions (tenant, session_id) WHERE state <> 'CLOSED';
  CREATE INDEX sessions_expiry ON sessions (expires_at);

  CREATE TABLE chunks (
    session INTEGER NOT NULL REFERENCES sessions (session) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    post    TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE speakers (
    n          INTEGER PRIMARY KEY,
    session    INTEGER NOT NULL REFERENCES sessions (session) ON DELETE CASCADE,
    at         INTEGER NOT NULL,
    arrived_at INTEGER NOT NULL,
    body       TEXT NOT NULL
  ) STRICT;
  CREATE INDEX speakers_order ON speakers (session, at, arrived_at, n);

  CREATE TABLE steps (
    session INTEGER PRIMARY KEY REFERENCES sessions (session) ON DELETE CASCADE,
    step    INTEGER NOT NULL,
    body    TEXT NOT NULL
  ) STRICT;

  CREATE TABLE segments (
    session INTEGER NOT NULL REFERENCES sessions (session) ON DELETE CASCADE,
    id      INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (session, id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The webhooks' delivery log. Ids sort by time, within a lane by their place in it.
  CREATE TABLE deliveries (
    tenant     TEXT NOT NULL,
    id         TEXT NOT NULL,
    lane       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    status     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deliveries_pending ON deliveries (tenant, lane, id) WHERE status = 'PENDING';
  CREATE INDEX deliveries_ended ON deliveries (created_at) WHERE status <> 'PENDING';
  CREATE INDEX deliveries_lane ON deliveries (tenant, lane);

  -- Lanes with pending deliveries, and those that take no more. next_at: when a lane is to be looked after.
  CREATE TABLE lanes (
    tenant   TEXT NOT NULL,
    lane     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    next_at  INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, lane)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX lanes_due ON lanes (next_at) WHERE disabled = 0;
  CREATE INDEX lanes_disabled ON lanes (tenant, lane) WHERE disabled = 1;
  `,
  `
  -- How far the shards of a job are.
  CREATE TABLE tallies (
    tenant TEXT NOT NULL,
    job_id TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, job_id)
  ) STRICT, WITHOUT ROWID;
  `,
]
