/** The step of the schema that makes the tables of what follows the ledgers. Times in Unix milliseconds. */
export const FOLLOW_STEP: readonly string[] = [
  // `noted` grows with each change, so that what has changed is found without reading all ledgers. `indexed`: the last record
  // in the index.
  "CREATE SEQUENCE daypass.noted",
  `CREATE TABLE daypass.followed_ledgers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issuer text NOT NULL,
    unit_id text NOT NULL,
    unit text,
    unit_kind text,
    owner text,
    owner_id text,
    seq bigint NOT NULL,
    chain text NOT NULL,
    latest_at bigint NOT NULL,
    open_leases bigint NOT NULL,
    noted bigint NOT NULL,
    indexed bigint NOT NULL DEFAULT 0,
    UNIQUE (issuer, unit_id)
  )`,
  "CREATE INDEX followed_ledgers_by_noted ON daypass.followed_ledgers (noted)",
  "CREATE TABLE daypass.readers (name text PRIMARY KEY, since bigint NOT NULL)",
  `CREATE TABLE daypass.reader_places (
    reader text NOT NULL,
    ledger integer NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (reader, ledger)
  )`,
  `CREATE TABLE daypass.segments (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    month integer NOT NULL,
    min_at bigint NOT NULL,
    max_at bigint NOT NULL,
    records integer NOT NULL,
    terms bytea NOT NULL,
    events text NOT NULL,
    rows bytea NOT NULL
  )`,
  "CREATE INDEX segments_by_newest ON daypass.segments (max_at, id)",
  "CREATE INDEX segments_by_month ON daypass.segments (month, id)",
  `CREATE TABLE daypass.last_uses (
    ledger integer NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (ledger, kind, name)
  )`,
  // One row: the broker that follows, by the server's clock.
  "CREATE TABLE daypass.follower (id integer PRIMARY KEY CHECK (id = 1), broker uuid, follows_until timestamptz)",
  "INSERT INTO daypass.follower VALUES (1, NULL, NULL)",
]
