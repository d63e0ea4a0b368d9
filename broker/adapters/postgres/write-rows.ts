import { writeCredentials } from "../ledger/rows.ts"
import { archiveChanges } from "./held-archive.ts"
import { FORGOTTEN, type HeldRows, type LeaseRow } from "./held-rows.ts"
import { rowsOf, type Statement } from "./session.ts"

type Rows = Parameters<typeof rowsOf>[0]

/** A statement for rows; none when there are no rows. */
const each = (text: string, rows: Rows): readonly Statement[] =>
  rows.length === 0 ? [] : [{ text, values: [rowsOf(rows)] }]

/**
 * What a transaction changed, as statements in their order. Used tokens are inserted first: the primary key refuses a second
 * use even if two transactions held the same ledger. For the same reason, inserts never say what to do on a conflict.
 */
export function changesOf(held: readonly HeldRows[]): readonly Statement[] {
  const saved = held.filter(({ isSaved }) => isSaved)
  const tokens = saved.map((rows) => [rows.id, rows.tokens.table.changes()] as const)
  const leases = saved.map((rows) => [rows.id, rows.leases.table.changes()] as const)
  const forgetting = saved.flatMap(({ id, leases }) =>
    leases.forgetting ? [{ ledger: id, ...leases.forgetting }] : [],
  )
  return [
    ...each(
      // Deleted first: an entry that is over makes room for a new one with the same key.
      `DELETE FROM daypass.used_tokens t USING json_to_recordset($1::text::json) AS w(ledger uuid, key text)
       WHERE t.ledger = w.ledger AND t.key = w.key`,
      tokens.flatMap(([ledger, { deleted }]) => deleted.map((key) => ({ ledger, key }))),
    ),
    ...each(
      `INSERT INTO daypass.used_tokens (ledger, key, expires_at, bound_to, proofs, replay_recorded)
       SELECT * FROM json_to_recordset($1::text::json)
         AS w(ledger uuid, key text, expires_at bigint, bound_to text, proofs integer, replay_recorded boolean)`,
      tokens.flatMap(([ledger, { inserted }]) =>
        inserted.map(([key, row]) => ({
          ledger,
          key,
          expires_at: row.expiresAt,
          bound_to: row.boundTo,
          proofs: row.proofs,
          replay_recorded: row.replayRecorded,
        })),
      ),
    ),
    ...each(
      `UPDATE daypass.used_tokens t SET proofs = w.proofs, replay_recorded = w.replay_recorded
       FROM json_to_recordset($1::text::json) AS w(ledger uuid, key text, proofs integer, replay_recorded boolean)
       WHERE t.ledger = w.ledger AND t.key = w.key`,
      tokens.flatMap(([ledger, { updated }]) =>
        updated.map(([key, , row]) => ({ ledger, key, proofs: row.proofs, replay_recorded: row.replayRecorded })),
      ),
    ),
    ...each(
      `INSERT INTO daypass.audit (ledger, seq, record, leaf, chain) SELECT * FROM json_to_recordset($1::text::json)
         AS w(ledger uuid, seq bigint, record text, leaf text, chain text)`,
      saved.flatMap(({ id, appended }) =>
        appended.map(({ seq, text, leaf, chain }) => ({ ledger: id, seq, record: text, leaf, chain })),
      ),
    ),
    ...each(
      `INSERT INTO daypass.leases (ledger, id, run_id, run_attempt, state, ends_by, over_since, due_at, tried_at, attempts,
         unknown_until, credentials)
       SELECT * FROM json_to_recordset($1::text::json) AS w(ledger uuid, id text, run_id text, run_attempt text, state text,
         ends_by bigint, over_since bigint, due_at bigint, tried_at bigint, attempts integer, unknown_until bigint,
         credentials text)`,
      leases.flatMap(([ledger, { inserted }]) => inserted.map(([, row]) => leaseRow(ledger, row))),
    ),
    ...each(
      `UPDATE daypass.leases l SET state = w.state, over_since = w.over_since, due_at = w.due_at, tried_at = w.tried_at,
         attempts = w.attempts, unknown_until = w.unknown_until, credentials = w.credentials
       FROM json_to_recordset($1::text::json) AS w(ledger uuid, id text, state text, over_since bigint, due_at bigint,
         tried_at bigint, attempts integer, unknown_until bigint, credentials text)
       WHERE l.ledger = w.ledger AND l.id = w.id`,
      leases.flatMap(([ledger, { updated }]) => updated.map(([, , row]) => leaseRow(ledger, row))),
    ),
    ...each(
      `DELETE FROM daypass.limited_grants g USING json_to_recordset($1::text::json) AS w(ledger uuid, lease text)
       WHERE g.ledger = w.ledger AND g.lease = w.lease`,
      leases.flatMap(([ledger, { updated }]) =>
        updated
          .filter(([, before, row]) => before.limited.length > 0 && row.limited.length === 0)
          .map(([lease]) => ({ ledger, lease })),
      ),
    ),
    ...each(
      `INSERT INTO daypass.limited_grants (ledger, lease, grant_key) SELECT * FROM json_to_recordset($1::text::json)
         AS w(ledger uuid, lease text, grant_key text)`,
      leases.flatMap(([ledger, { inserted }]) =>
        inserted.flatMap(([lease, { limited }]) => limited.map((key) => ({ ledger, lease, grant_key: key }))),
      ),
    ),
    ...each(
      `DELETE FROM daypass.leases l USING json_to_recordset($1::text::json) AS w(ledger uuid, now bigint, most integer),
         LATERAL (SELECT id FROM daypass.leases WHERE ledger = w.ledger AND due_at <= w.now
           AND state NOT IN ('open', 'active', 'revoking') ORDER BY due_at LIMIT w.most) old
       WHERE l.ledger = w.ledger AND l.id = old.id`,
      forgetting.map(({ ledger, now, atMost }) => ({ ledger, now, most: atMost })),
    ),
    ...saved.flatMap(({ id, archive: { begun } }) => (begun === null ? [] : archiveChanges(id, begun))),
    ...heads(saved),
  ]
}

function leaseRow(ledger: string, { lease }: LeaseRow): Rows[number] {
  return {
    ledger,
    id: lease.id,
    run_id: lease.runId,
    run_attempt: lease.runAttempt,
    state: lease.state,
    ends_by: lease.endsBy,
    over_since: lease.overSince,
    due_at: lease.dueAt,
    tried_at: lease.triedAt,
    attempts: lease.attempts,
    unknown_until: lease.unknownUntil,
    credentials: writeCredentials(lease.credentials),
  }
}

/** The heads, last. After a sweep, the next due time is looked up among all rows, because only some were read. */
function heads(saved: readonly HeldRows[]): readonly Statement[] {
  const columns =
    "seq = w.seq, chain = w.chain, latest_at = w.latest_at, forgotten_until = w.forgotten_until, quotas = w.quotas"
  const source = `FROM json_to_recordset($1::text::json) AS w(id uuid, seq bigint, chain text, due_at bigint, latest_at bigint,
    forgotten_until bigint, quotas text) WHERE h.id = w.id`
  const swept = saved.filter(({ tokens, leases }) => tokens.isEarliestAsked || leases.isEarliestAsked)
  const plain = saved.filter((rows) => !swept.includes(rows))
  return [
    ...each(`UPDATE daypass.ledgers h SET ${columns}, due_at = w.due_at ${source}`, plain.map(headRow)),
    ...each(
      `UPDATE daypass.ledgers h SET ${columns}, due_at = least(
         w.due_at,
         (SELECT min(due_at) FROM daypass.leases WHERE ledger = w.id),
         (SELECT min(expires_at) * ${FORGOTTEN.slope} + ${FORGOTTEN.start} FROM daypass.used_tokens WHERE ledger = w.id)
       ) ${source}`,
      swept.map(headRow),
    ),
  ]
}

const headRow = ({ id, head }: HeldRows): Rows[number] => ({
  id,
  seq: head.seq,
  chain: head.chain,
  due_at: head.dueAt,
  latest_at: head.latestAt,
  forgotten_until: head.forgottenUntil,
  quotas: head.quotas,
})
