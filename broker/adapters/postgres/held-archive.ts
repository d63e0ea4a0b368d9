import type { ArchiveRows, OldestRecords, StoredCut, Touched } from "../ledger/rows.ts"
import type { Journal } from "./held-table.ts"
import type { Row, Session, Statement } from "./session.ts"

const NONE: OldestRecords = { records: 0, chain: "", earliestAt: Number.NaN, latestAt: Number.NaN }

/** The records of one ledger that leave it, read before a transaction's work. */
export class HeldArchive implements ArchiveRows {
  readonly #journal: Journal
  readonly #read = new Map<number, OldestRecords>()
  #cut: StoredCut | null = null
  #begun: StoredCut | null = null

  constructor(journal: Journal) {
    this.#journal = journal
  }

  read(cut: StoredCut | null, upTo: number, oldest: OldestRecords): void {
    this.#cut = cut
    this.#read.set(upTo, oldest)
  }

  cut(): StoredCut | null {
    return this.#begun ?? this.#cut
  }

  /** None after a call of this transaction has archived: what was read is not right any more. */
  oldest(upTo: number): OldestRecords {
    return this.#begun === null ? (this.#read.get(upTo) ?? NONE) : NONE
  }

  begin(cut: StoredCut): void {
    this.#begun = cut
    this.#journal.note(() => {
      this.#begun = null
    })
  }

  /** Null: nothing is written. */
  get begun(): StoredCut | null {
    return this.#begun
  }
}

type ArchiveRow = Row & {
  readonly records: number
  readonly last_chain: string | null
  readonly earliest: string | null
  readonly latest: string | null
  readonly seq: number | null
  readonly chain: string
  readonly edge: string
  readonly day: number
  readonly reach: number
}

/** Reads what `HeldArchive` needs to let records up to a number leave; with 0, only where the ledger begins. */
async function readArchive(session: Session, ledger: string, upTo: number) {
  const { rows } = await session.run<ArchiveRow>({
    // Times are compared by bytes: all have one form.
    text: `SELECT o.records, o.last_chain, o.earliest, o.latest, c.seq, c.chain, c.edge, c.day, c.reach
      FROM (SELECT count(*) AS records, max(CASE WHEN seq = $2::bigint THEN chain END) AS last_chain,
          min((record::json ->> 'at') COLLATE "C") AS earliest, max((record::json ->> 'at') COLLATE "C") AS latest
        FROM daypass.audit WHERE ledger = $1::text::uuid AND seq <= $2::bigint) o
      LEFT JOIN daypass.archived c ON c.ledger = $1::text::uuid`,
    values: [ledger, upTo],
  })
  const [row] = rows
  if (!row) return (_: HeldArchive) => {}
  const { seq, chain, edge, day, reach } = row
  const cut = seq === null ? null : { seq, chain, edge, day, reach }
  const oldest = {
    records: row.records,
    chain: row.last_chain ?? "",
    earliestAt: Date.parse(row.earliest ?? ""),
    latestAt: Date.parse(row.latest ?? ""),
  }
  return (archive: HeldArchive) => archive.read(cut, upTo, oldest)
}

/** The same for the calls of a transaction; null when none of them archives. */
export function readArchives(
  session: Session,
  wanted: readonly { readonly id: string; readonly touched: readonly Touched[] }[],
) {
  const read = wanted.flatMap(({ id, touched }) =>
    touched.flatMap(({ archive: upTo }) =>
      upTo === undefined ? [] : [readArchive(session, id, upTo).then((into) => ({ id, into }))],
    ),
  )
  if (read.length === 0) return null
  return Promise.all(read).then((parts) => (held: ReadonlyMap<string, { readonly archive: HeldArchive }>) => {
    for (const { id, into } of parts) {
      const archive = held.get(id)?.archive
      if (archive) into(archive)
    }
  })
}

/** What a transaction that archived writes. */
export function archiveChanges(ledger: string, cut: StoredCut): readonly Statement[] {
  return [
    {
      text: "DELETE FROM daypass.audit WHERE ledger = $1::text::uuid AND seq <= $2::bigint",
      values: [ledger, cut.seq],
    },
    {
      text: `INSERT INTO daypass.archived (ledger, seq, chain, edge, day, reach)
        VALUES ($1::text::uuid, $2::bigint, $3, $4, $5::bigint, $6::bigint)
        ON CONFLICT (ledger) DO UPDATE SET seq = excluded.seq, chain = excluded.chain, edge = excluded.edge,
          day = excluded.day, reach = excluded.reach`,
      values: [ledger, cut.seq, cut.chain, cut.edge, cut.day, cut.reach],
    },
  ]
}
