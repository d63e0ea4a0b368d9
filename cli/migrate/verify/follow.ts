import type { FiledRecord } from "../../../analysis/records/record-lines.ts"
import type { PolicyInput } from "../../../broker/core/policy/load.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { type Replacement, replacementsIn } from "../plan/policy-file.ts"

/** How a workflow has used the grant in place of a secret. */
export interface Followup {
  readonly workflow: string
  readonly grant: string
  readonly exchanges: number
  /** ISO 8601. */
  readonly last: string
}

/** A secret, and which workflows have what is in its place. */
export interface Standing {
  readonly secret: string
  readonly used: readonly Followup[]
  readonly waiting: readonly Pick<Replacement, "workflow" | "grant">[]
}

/** Reads the record for what policies say that they are in place of. */
export class Followed {
  readonly replaced: readonly Replacement[]
  readonly #ids: ReadonlySet<string>
  readonly #environment: string | null
  /** Lease -> workflow, of exchanges without an outcome yet. */
  readonly #intended = new Map<string, string>()
  readonly #seen = new Map<string, { exchanges: number; last: string }>()

  constructor(set: PolicySet, inputs: readonly PolicyInput[], repository: string, environment: string | null) {
    const policies = set.policies.filter(
      (policy) =>
        policy.target.kind === "unit" &&
        policy.unit.toLowerCase() === repository.toLowerCase() &&
        (policy.environment ?? null) === environment,
    )
    const files = new Set(policies.map(({ file }) => file))
    this.replaced = inputs
      .filter(({ path }) => files.has(path))
      .flatMap(({ bytes }) => replacementsIn(new TextDecoder().decode(bytes)))
    this.#ids = new Set(policies.flatMap(({ target }) => (target.kind === "unit" ? [target.id] : [])))
    this.#environment = environment
  }

  /**
   * Takes any record. The record of a decision has the claims, and the one of its outcome says that the grants were minted: the
   * lease is the same. Where the broker alone mints, one record is both.
   */
  add({ record }: FiledRecord): void {
    const { identity, event, lease, at } = record
    if (identity === null || lease === null || !event.startsWith("exchange.")) return
    if (!this.#ids.has(identity.unit_id) || identity.environment !== this.#environment) return
    const workflow = workflowIn(record.claims?.["workflow_ref"]) ?? this.#intended.get(lease)
    if (workflow === undefined) return
    if (event === "exchange.intended") this.#intended.set(lease, workflow)
    else this.#intended.delete(lease)
    if (event !== "exchange.minted") return
    for (const { name } of record.grants) {
      const key = `${workflow}\n${name}`
      const { exchanges, last } = this.#seen.get(key) ?? { exchanges: 0, last: at }
      this.#seen.set(key, { exchanges: exchanges + 1, last: [last, at].sort().at(-1) ?? at })
    }
  }

  use({ workflow, grant }: Replacement): Followup | null {
    const seen = this.#seen.get(`${workflow}\n${grant}`)
    return seen === undefined ? null : { workflow, grant, ...seen }
  }
}

/** The path of a workflow in `OWNER/REPO/PATH@REF`. */
function workflowIn(claim: unknown): string | undefined {
  return typeof claim === "string" ? /^[^/]+\/[^/]+\/(\.github\/workflows\/[^@]+)@/.exec(claim)?.[1] : undefined
}

/** Each secret by itself: it can go when every workflow has had what is in its place. */
export function standingsOf(followed: Followed): readonly Standing[] {
  const secrets = [...new Set(followed.replaced.map(({ secret }) => secret))].sort()
  return secrets.map((secret) => {
    const own = followed.replaced.filter((one) => one.secret === secret)
    return {
      secret,
      used: own.flatMap((one) => followed.use(one) ?? []),
      waiting: own.filter((one) => followed.use(one) === null).map(({ workflow, grant }) => ({ workflow, grant })),
    }
  })
}
