import type { AlertQueue, DueAlert, EndpointState, QueuedAlert } from "../../ports/alert-queue.ts"
import type { OwnRows } from "./key-ring.ts"

/** The step of the schema that makes the tables of what leaves the brokers by themselves. Times in Unix milliseconds. */
export const OUTBOUND_STEP: readonly string[] = [
  // A closed message keeps its row, without its body, until `due_at`: then it is forgotten.
  `CREATE TABLE daypass.alerts (
    id text NOT NULL,
    endpoint text NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    queued_at bigint NOT NULL,
    due_at bigint NOT NULL,
    attempts integer NOT NULL,
    closed boolean NOT NULL,
    PRIMARY KEY (endpoint, id)
  )`,
  "CREATE INDEX alerts_by_due ON daypass.alerts (closed, due_at)",
  "CREATE TABLE daypass.alert_endpoints (name text PRIMARY KEY, state text NOT NULL)",
  "CREATE TABLE daypass.outbound_marks (name text PRIMARY KEY, value text NOT NULL)",
]

/** The queue of several brokers. A message that one of them has taken is passed over by the others. */
export class PostgresAlertQueue implements AlertQueue {
  readonly #rows: OwnRows

  constructor(rows: OwnRows) {
    this.#rows = rows
  }

  async add(messages: readonly QueuedAlert[], now: number): Promise<void> {
    if (messages.length === 0) return
    // Sent as text: of a parameter of the type jsonb, the driver makes JSON itself, so a text would become a JSON string.
    await this.#rows.write((session) =>
      session.run({
        text: `INSERT INTO daypass.alerts
          SELECT id, endpoint, type, body, $2::bigint, $2::bigint, 0, false
          FROM jsonb_to_recordset($1::text::jsonb) AS m (id text, endpoint text, type text, body text)
          ON CONFLICT DO NOTHING`,
        values: [JSON.stringify(messages), now],
      }),
    )
  }

  take(now: number, until: number, limit: number): Promise<readonly DueAlert[]> {
    return this.#rows.write(async (session) => {
      await session.run({ text: "DELETE FROM daypass.alerts WHERE closed AND due_at <= $1::bigint", values: [now] })
      const { rows } = await session.run<Row>({
        text: `UPDATE daypass.alerts a SET due_at = $2::bigint, attempts = a.attempts + 1
          FROM (
            SELECT endpoint, id FROM daypass.alerts WHERE NOT closed AND due_at <= $1::bigint
            ORDER BY due_at, queued_at, id LIMIT $3::integer FOR UPDATE SKIP LOCKED
          ) due
          WHERE a.endpoint = due.endpoint AND a.id = due.id
          RETURNING a.id, a.endpoint, a.type, a.body, a.queued_at, a.attempts - 1 AS attempts`,
        values: [now, until, limit],
      })
      return rows
        .map(({ queued_at, ...row }) => ({ ...row, queuedAt: Number(queued_at) }))
        .sort((one, other) => one.queuedAt - other.queuedAt)
    })
  }

  async retry({ endpoint, id }: Pick<QueuedAlert, "id" | "endpoint">, dueAt: number): Promise<void> {
    await this.#rows.write((session) =>
      session.run({
        text: "UPDATE daypass.alerts SET due_at = $3::bigint WHERE endpoint = $1 AND id = $2 AND NOT closed",
        values: [endpoint, id, dueAt],
      }),
    )
  }

  async close({ endpoint, id }: Pick<QueuedAlert, "id" | "endpoint">, forgetAt: number): Promise<void> {
    await this.#rows.write((session) =>
      session.run({
        text: "UPDATE daypass.alerts SET closed = true, body = '', due_at = $3::bigint WHERE endpoint = $1 AND id = $2",
        values: [endpoint, id, forgetAt],
      }),
    )
  }

  closeAll(endpoint: string, forgetAt: number): Promise<number> {
    return this.#rows.write(async (session) => {
      const { rows } = await session.run({
        text: "UPDATE daypass.alerts SET closed = true, body = '', due_at = $2::bigint WHERE endpoint = $1 AND NOT closed RETURNING 1 AS one",
        values: [endpoint, forgetAt],
      })
      return rows.length
    })
  }

  nextDue(): Promise<number | null> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ at: string | number | null }>({
        text: "SELECT min(due_at) AS at FROM daypass.alerts WHERE NOT closed",
      })
      const at = rows[0]?.at ?? null
      return at === null ? null : Number(at)
    })
  }

  waiting(): Promise<ReadonlyMap<string, number>> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ endpoint: string; n: string | number }>({
        text: "SELECT endpoint, count(*) AS n FROM daypass.alerts WHERE NOT closed GROUP BY endpoint",
      })
      return new Map(rows.map(({ endpoint, n }) => [endpoint, Number(n)]))
    })
  }

  endpoint(name: string): Promise<EndpointState | null> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ state: string }>({
        text: "SELECT state FROM daypass.alert_endpoints WHERE name = $1",
        values: [name],
      })
      return rows[0] === undefined ? null : (JSON.parse(rows[0].state) as EndpointState)
    })
  }

  async noteEndpoint(name: string, state: EndpointState): Promise<void> {
    await this.#rows.write((session) =>
      session.run({
        text: "INSERT INTO daypass.alert_endpoints VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET state = excluded.state",
        values: [name, JSON.stringify(state)],
      }),
    )
  }
}

type Row = {
  readonly id: string
  readonly endpoint: string
  readonly type: string
  readonly body: string
  readonly queued_at: string | number
  readonly attempts: number
}
