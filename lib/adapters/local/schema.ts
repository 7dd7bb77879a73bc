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
]
