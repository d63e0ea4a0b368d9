/** What was changed, in order, so that a call that fails takes back its own changes and no others. */
export class Journal {
  #undo: (() => void)[] = []

  note(undo: () => void): void {
    this.#undo.push(undo)
  }

  /** Sets a flag. */
  flag<Name extends string>(holder: Record<Name, boolean>, name: Name): void {
    const before = holder[name]
    holder[name] = true
    this.note(() => {
      holder[name] = before
    })
  }

  /** Runs `work`. When it throws, what it changed is taken back, and the error is thrown again. */
  attempt<Value>(work: () => Value): Value {
    const mark = this.#undo.length
    try {
      return work()
    } catch (error) {
      for (const undo of this.#undo.splice(mark).reverse()) undo()
      throw error
    }
  }
}

/** How a table differs from what was read. */
export interface Changes<Row> {
  readonly inserted: readonly (readonly [string, Row])[]
  readonly updated: readonly (readonly [string, Row, Row])[]
  readonly deleted: readonly string[]
}

/** Rows by key: as they were read, and as they are now. A key is known only when it was read, present or not. */
export class HeldTable<Row> {
  readonly #journal: Journal
  readonly #before = new Map<string, Row | null>()
  readonly #now = new Map<string, Row | null>()

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** Notes what the database has for a key; null: nothing. */
  read(key: string, row: Row | null): void {
    this.#before.set(key, row)
    this.#now.set(key, row)
  }

  isRead(key: string): boolean {
    return this.#now.has(key)
  }

  /** @throws for a key that was not read: taking it for absent could accept a used token */
  get(key: string): Row | null {
    const row = this.#now.get(key)
    if (row === undefined) throw new Error("a row was not read before it was used")
    return row
  }

  set(key: string, row: Row | null): void {
    const before = this.get(key)
    this.#now.set(key, row)
    this.#journal.note(() => void this.#now.set(key, before))
  }

  present(): readonly (readonly [string, Row])[] {
    const rows: (readonly [string, Row])[] = []
    for (const [key, row] of this.#now) if (row !== null) rows.push([key, row])
    return rows
  }

  changes(): Changes<Row> {
    const inserted: [string, Row][] = []
    const updated: [string, Row, Row][] = []
    const deleted: string[] = []
    for (const [key, row] of this.#now) {
      const before = this.#before.get(key) ?? null
      if (row === before) continue
      if (row === null) deleted.push(key)
      else if (before === null) inserted.push([key, row])
      else updated.push([key, before, row])
    }
    return { inserted, updated, deleted }
  }
}
