import { createHash } from "node:crypto"
import type { FiledRecord } from "../../../analysis/records/record-lines.ts"

/** What one lease of a run gave, as the record knows it: by its hash or by its public id. */
export interface Issued {
  readonly lease: string
  readonly grant: string
  /** The value's name: `token`, `session-token`. */
  readonly name: string
  /** Whether the record has the value itself, which is public, such as an AWS access key id. */
  readonly isId: boolean
}

/** The shortest token that the broker records a hash of: see the providers' marks. */
export const MIN_CHARACTERS = 24
/** AWS's, which are the only ids. */
const KEY_ID = /A[SK]IA[A-Z2-7]{16}/g

/** Tells which texts a run's leases gave. Its hashes leave this machine as little as the texts do. */
export class Fingerprints {
  readonly #byHash = new Map<string, Issued[]>()
  readonly #byId = new Map<string, Issued[]>()
  readonly #unknown = new Set<string>()

  constructor(records: readonly FiledRecord[]) {
    for (const { record } of records) {
      const { lease, grants, event } = record
      if (lease === null || !event.startsWith("exchange.")) continue
      for (const { name: grant, fingerprints = {}, ids = {} } of grants) {
        for (const [name, hash] of Object.entries(fingerprints))
          put(this.#byHash, hash, { lease, grant, name, isId: false })
        for (const [name, id] of Object.entries(ids)) put(this.#byId, id, { lease, grant, name, isId: true })
        const isMinted = event === "exchange.minted" || event === "exchange.failed"
        if (isMinted && Object.keys(fingerprints).length + Object.keys(ids).length === 0) this.#unknown.add(grant)
      }
    }
  }

  /** How many values can be recognised. */
  get size(): number {
    return this.#byHash.size + this.#byId.size
  }

  /** Grants whose values have no fingerprint, such as passwords of a store. */
  get unknown(): readonly string[] {
    return [...this.#unknown]
  }

  whole(text: string): readonly Issued[] {
    if (text.length < MIN_CHARACTERS) return []
    return this.#byHash.get(createHash("sha256").update(text).digest("hex")) ?? []
  }

  idsIn(text: string): readonly Issued[] {
    if (this.#byId.size === 0) return []
    return (text.match(KEY_ID) ?? []).flatMap((id) => this.#byId.get(id) ?? [])
  }
}

function put(map: Map<string, Issued[]>, key: string, issued: Issued): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [issued])
  else if (
    !known.some(({ lease, grant, name }) => lease === issued.lease && grant === issued.grant && name === issued.name)
  )
    known.push(issued)
}
