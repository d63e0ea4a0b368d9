import type { AlertQueue, DueAlert, EndpointState, QueuedAlert } from "../../../ports/alert-queue.ts"
import type { Reading, Sql } from "../../../ports/sql.ts"

type Row = { id: string; endpoint: string; type: string; body: string; queued_at: number; attempts: number }

/** The queue in any SQLite database. `OUTBOUND_STEP` makes its tables. */
export class SqlAlertQueue implements AlertQueue {
  readonly #sql: Sql
  /** Gives failures of the storage their code. */
  readonly #work: Reading

  constructor(sql: Sql, work: Reading) {
    this.#sql = sql
    this.#work = work
  }

  async add(messages: readonly QueuedAlert[], now: number): Promise<void> {
    if (messages.length === 0) return
    const insert = "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING"
    await this.#work(() =>
      this.#sql.transaction(() => {
        for (const { id, endpoint, type, body } of messages) this.#sql.run(insert, id, endpoint, type, body, now, now)
      }),
    )
  }

  take(now: number, until: number, limit: number): Promise<readonly DueAlert[]> {
    return this.#work(() =>
      this.#sql.transaction(() => {
        this.#sql.run("DELETE FROM alerts WHERE closed = 1 AND due_at <= ?", now)
        const rows = this.#sql.all<Row>(
          `SELECT id, endpoint, type, body, queued_at, attempts FROM alerts
           WHERE closed = 0 AND due_at <= ? ORDER BY due_at, queued_at, id LIMIT ?`,
          now,
          limit,
        )
        const tried = "UPDATE alerts SET due_at = ?, attempts = attempts + 1 WHERE endpoint = ? AND id = ?"
        for (const { endpoint, id } of rows) this.#sql.run(tried, until, endpoint, id)
        return rows.map(({ queued_at: queuedAt, ...row }) => ({ ...row, queuedAt }))
      }),
    )
  }

  retry({ endpoint, id }: Pick<QueuedAlert, "id" | "endpoint">, dueAt: number): Promise<void> {
    return this.#work(() =>
      this.#sql.run("UPDATE alerts SET due_at = ? WHERE endpoint = ? AND id = ? AND closed = 0", dueAt, endpoint, id),
    )
  }

  close({ endpoint, id }: Pick<QueuedAlert, "id" | "endpoint">, forgetAt: number): Promise<void> {
    return this.#work(() =>
      this.#sql.run(
        "UPDATE alerts SET closed = 1, body = '', due_at = ? WHERE endpoint = ? AND id = ?",
        forgetAt,
        endpoint,
        id,
      ),
    )
  }

  closeAll(endpoint: string, forgetAt: number): Promise<number> {
    return this.#work(
      () =>
        this.#sql.all(
          "UPDATE alerts SET closed = 1, body = '', due_at = ? WHERE endpoint = ? AND closed = 0 RETURNING id",
          forgetAt,
          endpoint,
        ).length,
    )
  }

  nextDue(): Promise<number | null> {
    return this.#work(
      () =>
        this.#sql.all<{ at: number | null }>("SELECT min(due_at) AS at FROM alerts WHERE closed = 0")[0]?.at ?? null,
    )
  }

  waiting(): Promise<ReadonlyMap<string, number>> {
    return this.#work(
      () =>
        new Map(
          this.#sql
            .all<{ endpoint: string; n: number }>(
              "SELECT endpoint, count(*) AS n FROM alerts WHERE closed = 0 GROUP BY endpoint",
            )
            .map(({ endpoint, n }) => [endpoint, n]),
        ),
    )
  }

  endpoint(name: string): Promise<EndpointState | null> {
    return this.#work(() => {
      const [row] = this.#sql.all<{ state: string }>("SELECT state FROM alert_endpoints WHERE name = ?", name)
      return row === undefined ? null : (JSON.parse(row.state) as EndpointState)
    })
  }

  noteEndpoint(name: string, state: EndpointState): Promise<void> {
    return this.#work(() =>
      this.#sql.run(
        "INSERT INTO alert_endpoints VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state",
        name,
        JSON.stringify(state),
      ),
    )
  }
}
