import type { AuditGrant, AuditIdentity } from "../../broker/core/audit-record.ts"
import type { ReadRecord } from "../records/record-lines.ts"

/** How often something happened, and when first and last. ISO 8601. */
export interface Counted {
  exchanges: number
  first: string
  last: string
}

/** What the jobs of one unit and environment got by one grant. */
export interface Access extends Counted {
  readonly issuer: string
  readonly unit_kind: string
  readonly unit: string
  readonly unit_id: string
  readonly environment: string | null
  readonly grant: string
  readonly connection: string
  readonly provider: string
  readonly resource: string
}

/** Who started the jobs that got something. */
export interface ActorAccess extends Counted {
  readonly issuer: string
  readonly actor: string | null
  /** Null for issuers and versions of the record that do not say it. */
  readonly actor_id: string | null
  readonly units: number
}

export interface Denials extends Counted {
  readonly issuer: string
  readonly unit: string
  readonly unit_id: string
  readonly environment: string | null
  readonly code: string
  /** What was asked for. */
  readonly grants: string
}

/** A use of a grant that demanded the approval of other people. */
export interface BreakGlassUse {
  readonly at: string
  readonly issuer: string
  readonly unit: string
  readonly unit_id: string
  readonly environment: string | null
  readonly grant: string
  readonly resource: string
  readonly actor: string | null
  readonly run_id: string
  readonly lease: string | null
  readonly approvals: readonly { readonly approver: string; readonly approver_id: string; readonly reason: string }[]
}

/** The versions of one stored secret that jobs got, oldest first. */
export interface SecretVersions {
  readonly connection: string
  readonly secret: string
  readonly versions: readonly { readonly version: string; readonly first: string; readonly last: string }[]
}

/** Collects who got what, and who was refused. Keeps a row for each kind of access, not for each exchange. */
export class Accesses {
  readonly #accesses = new Map<string, Access>()
  readonly #actors = new Map<string, ActorAccess & { units: number; readonly seen: Set<string> }>()
  readonly #denials = new Map<string, Denials>()
  readonly #secrets = new Map<string, Map<string, { first: string; last: string }>>()
  readonly #breakGlass: BreakGlassUse[] = []
  minted = 0
  failed = 0
  denied = 0
  uncounted = 0

  add(record: ReadRecord): void {
    const { event, identity, reason } = record
    if (event === "denials.counted") this.uncounted += Number(/^[0-9]+/.exec(reason)?.[0] ?? 0)
    if (event === "exchange.failed") this.failed += 1
    if (identity === null) return
    if (event === "exchange.denied") this.#deny(record, identity)
    if (event === "exchange.minted") this.#mint(record, identity)
  }

  rows() {
    const secrets = [...this.#secrets].map(([key, versions]): SecretVersions => {
      const [connection, secret] = JSON.parse(key) as [string, string]
      return { connection, secret, versions: inOrder([...versions].map(([version, times]) => ({ version, ...times }))) }
    })
    return {
      accesses: sorted([...this.#accesses.values()], ({ unit, unit_id, environment, grant, resource }) =>
        [unit, unit_id, environment ?? "", grant, resource].join("\n"),
      ),
      actors: sorted(
        [...this.#actors.values()].map(({ seen: _, ...row }) => row),
        ({ actor, actor_id, issuer }) => [actor ?? "", actor_id ?? "", issuer].join("\n"),
      ),
      denials: sorted([...this.#denials.values()], ({ unit, unit_id, environment, code, grants }) =>
        [unit, unit_id, environment ?? "", code, grants].join("\n"),
      ),
      break_glass: sorted(this.#breakGlass, ({ at, lease }) => `${at}${lease}`),
      secrets: sorted(secrets, ({ connection, secret }) => `${connection}\n${secret}`),
    }
  }

  #mint({ at, grants, lease }: ReadRecord, identity: AuditIdentity): void {
    this.minted += 1
    const { issuer, unit_kind, unit, unit_id, environment, actor, run_id } = identity
    const actor_id = identity.actor_id ?? null
    const by = counted(this.#actors, [issuer, actor_id ?? actor], at, () => ({
      ...{ issuer, actor, actor_id, units: 0, seen: new Set<string>() },
    }))
    by.seen.add(`${issuer}\n${unit_id}`)
    by.units = by.seen.size
    for (const grant of grants) {
      const { name, connection, provider, resource } = grant
      counted(this.#accesses, [issuer, unit, unit_id, environment, name, connection, resource], at, () => ({
        ...{ issuer, unit_kind, unit, unit_id, environment, grant: name, connection, provider, resource },
      }))
      const approvals = approvalsOf(grant)
      if (approvals !== null)
        this.#breakGlass.push({
          ...{ at, issuer, unit, unit_id, environment, grant: name, resource, actor, run_id, lease, approvals },
        })
      for (const [secret, version] of Object.entries(grant.versions ?? {})) {
        if (version !== null) this.#version([connection, secret], version, at)
      }
    }
  }

  #deny({ at, reason }: ReadRecord, { issuer, unit, unit_id, environment }: AuditIdentity): void {
    this.denied += 1
    const [code = "", grants = ""] = reason.split(": ", 2)
    counted(this.#denials, [issuer, unit, unit_id, environment, reason], at, () => ({
      ...{ issuer, unit, unit_id, environment, code, grants },
    }))
  }

  #version(of: readonly [string, string], version: string, at: string): void {
    const key = JSON.stringify(of)
    const versions = this.#secrets.get(key) ?? new Map<string, { first: string; last: string }>()
    this.#secrets.set(key, versions)
    const times = versions.get(version) ?? { first: at, last: at }
    versions.set(version, spanned(times, at))
  }
}

/** The row of a key, made at its first exchange, and counted. */
function counted<Row extends Counted>(
  rows: Map<string, Row>,
  of: readonly unknown[],
  at: string,
  make: () => Omit<Row, keyof Counted>,
): Row {
  const key = JSON.stringify(of)
  const row = rows.get(key) ?? ({ ...make(), exchanges: 0, first: at, last: at } as Row)
  rows.set(key, Object.assign(row, spanned(row, at), { exchanges: row.exchanges + 1 }))
  return row
}

const spanned = ({ first, last }: { first: string; last: string }, at: string) => {
  if (at < first) return { first: at, last }
  return { first, last: at > last ? at : last }
}

/** Returns null when the grant needs no approval. A file can hold records in another form: they count as approved by nobody. */
function approvalsOf(grant: AuditGrant): BreakGlassUse["approvals"] | null {
  const use = (grant as { readonly break_glass?: { readonly approvals?: BreakGlassUse["approvals"] } }).break_glass
  if (use === undefined) return null
  return Array.isArray(use.approvals) ? use.approvals : []
}

/** By a text, and by bytes: the same rows have the same order on every machine. */
export const sorted = <Row>(rows: readonly Row[], by: (row: Row) => string): readonly Row[] => {
  const keyed = rows.map((row) => [by(row), row] as const)
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row)
}

const inOrder = <Row extends { readonly first: string; readonly version: string }>(rows: readonly Row[]) =>
  sorted(rows, ({ first, version }) => `${first}\n${version}`)
