/** The step of the schema that makes the tables of the trees over the records' leaves. A log of heads has an empty issuer. */
export const TREE_STEP: readonly string[] = [
  `CREATE TABLE daypass.trees (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issuer text NOT NULL,
    unit_id text NOT NULL,
    size bigint NOT NULL,
    UNIQUE (issuer, unit_id)
  )`,
  `CREATE TABLE daypass.tiles (
    tree integer NOT NULL,
    level integer NOT NULL,
    tile bigint NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (tree, level, tile)
  )`,
  // The last heads of each ledger in a log.
  `CREATE TABLE daypass.logged_heads (
    log text NOT NULL,
    tree integer NOT NULL,
    place bigint NOT NULL,
    size bigint NOT NULL,
    root text NOT NULL,
    PRIMARY KEY (log, tree, place)
  )`,
]
