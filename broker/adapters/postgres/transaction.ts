import type { Sha256 } from "../../core/audit-chain.ts"
import { BrokerError } from "../../core/errors.ts"
import type { Way } from "../../ports/sql.ts"
import { CLOCK_TOLERANCE_MS, OpenLedger } from "../ledger/open-ledger.ts"
import type { Head, LedgerKey, Touched } from "../ledger/rows.ts"
import type { DatabaseGuard } from "./guard.ts"
import type { HeldRows } from "./held-rows.ts"
import { type KnownLedgers, makeLedgers } from "./known-ledgers.ts"
import { healFuture, type Lock, RowReading, type Wanted } from "./read-rows.ts"
import type { Session } from "./session.ts"
import { commit, judgeState, RolledBack, readState, type StoreState } from "./store-row.ts"
import { changesOf } from "./write-rows.ts"

/** One call on a ledger, and who waits for its answer. */
export interface Call {
  readonly key: LedgerKey
  readonly touched: Touched
  readonly way: Way
  readonly work: (ledger: OpenLedger) => unknown
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
}

export interface TransactionParts {
  readonly guard: DatabaseGuard
  readonly known: KnownLedgers
  readonly sha256: Sha256
  readonly deployment: string
  /** Looks at what a transaction begins with. Throws `HistoryChanged` when that must be stored first. */
  readonly observe: (state: StoreState, heads: ReadonlyMap<string, Head>) => void
}

/** The database was promoted or restored, and this is not noted yet. */
export class HistoryChanged extends Error {}

/** The statements of a commit were sent, and no answer came: it is in the database, or it is not. */
export class UnknownCommit extends Error {}

/**
 * Calls of one broker in one transaction.
 *
 * Two flights: the first one locks the heads of the ledgers and reads all rows that the calls may touch; then their work runs
 * in memory, without waiting; the second one writes and commits. A call that fails takes back its own changes and no others.
 */
export class Transaction {
  readonly #parts: TransactionParts
  readonly #session: Session
  readonly #lock: Lock

  constructor(parts: TransactionParts, session: Session, lock: Lock) {
    this.#parts = parts
    this.#session = session
    this.#lock = lock
  }

  /**
   * Answers all calls but those whose ledger another broker has locked, which it returns. Throws, with nothing answered, when
   * the database failed.
   *
   * @throws {UnknownCommit} when the transaction may be in the database; after every other error it is not
   */
  async run(calls: readonly Call[]): Promise<readonly Call[]> {
    const { known, sha256, deployment, guard } = this.#parts
    const session = this.#session
    const named = calls.map((call) => ({ call, id: known.nameOf(call.key, sha256).id }))
    await makeLedgers(
      session,
      known,
      calls.map(({ key }) => key),
      sha256,
    )
    const wanted = wantedOf(named)
    const begun = session.begin()
    try {
      const reading = session.run(readState)
      const rows = new RowReading(session, wanted, this.#lock)
      const state = judgeState((await reading).rows, deployment)
      await begun
      const heads = await rows.heads()
      this.#parts.observe(state, heads)
      const held = await this.#held(rows, heads, named, wanted, state)
      const locked = named.filter(({ id }) => !held.has(id))
      for (const { call } of locked) known.forget(call.key)
      const answers = this.#work(named, held, state)
      await this.#write([...held.values()])
      if ([...held.values()].some(({ isSaved }) => isSaved)) guard.committed(state.undurable)
      for (const answer of answers) answer()
      return locked.map(({ call }) => call)
    } catch (error) {
      if (session.isOpen) await session.run({ text: "ROLLBACK" }).catch(() => {})
      throw error
    }
  }

  /** The rows; read again when a clock that was ahead left revocations that wait for its time. */
  async #held(
    rows: RowReading,
    heads: ReadonlyMap<string, Head>,
    named: readonly Named[],
    wanted: readonly Wanted[],
    state: StoreState,
  ): Promise<ReadonlyMap<string, HeldRows>> {
    const held = await rows.rows(state.acceptFrom)
    const ahead = named.flatMap(({ id, call: { touched } }) => {
      const now = touched.due?.now
      const head = heads.get(id)
      return now !== undefined && head !== undefined && head.latestAt > now + CLOCK_TOLERANCE_MS ? [{ id, now }] : []
    })
    if (ahead.length === 0) return held
    await this.#session.run(healFuture(ahead))
    const locked = wanted.filter(({ id }) => heads.has(id))
    return new RowReading(this.#session, locked, this.#lock).rows(state.acceptFrom)
  }

  /** Runs the work of all calls; their answers wait for the commit. */
  #work(
    named: readonly Named[],
    held: ReadonlyMap<string, HeldRows>,
    { undurable }: StoreState,
  ): readonly (() => void)[] {
    const { guard, sha256 } = this.#parts
    const refusal = undurable && named.some(({ call }) => call.way === "out") ? guard.failed(undurable) : null
    return named.flatMap(({ id, call }) => {
      const rows = held.get(id)
      if (!rows) return []
      if (refusal && call.way === "out") return [() => call.reject(refusal)]
      try {
        const value = rows.journal.attempt(() => {
          const ledger = new OpenLedger(rows, sha256)
          const done = call.work(ledger)
          ledger.save()
          return done
        })
        return [() => call.resolve(value as never)]
      } catch (error) {
        const reason = error instanceof BrokerError ? error : guard.failed(error)
        return [() => call.reject(reason)]
      }
    })
  }

  async #write(held: readonly HeldRows[]): Promise<void> {
    const session = this.#session
    const statements = changesOf(held)
    if (statements.length === 0) {
      await session.run({ text: "ROLLBACK" })
      return
    }
    const written = statements.map((statement) => session.run(statement))
    const committed = commit(session)
    committed.catch(() => {})
    try {
      await Promise.all(written)
      await committed
    } catch (error) {
      // Only this answer is certain. Even an error that arrives with the COMMIT can have come after it.
      const isRolledBack = await committed.then(
        () => false,
        (reason) => reason instanceof RolledBack,
      )
      throw isRolledBack ? error : new UnknownCommit("the commit has no answer", { cause: error })
    }
    for (const { id, head } of held) this.#parts.known.sawHead(id, head)
  }
}

interface Named {
  readonly call: Call
  readonly id: string
}

function wantedOf(named: readonly Named[]): readonly Wanted[] {
  const byId = new Map<string, Touched[]>()
  for (const { id, call } of named) {
    const known = byId.get(id)
    if (known) known.push(call.touched)
    else byId.set(id, [call.touched])
  }
  return [...byId].map(([id, touched]) => ({ id, touched }))
}
