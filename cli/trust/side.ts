import { audiencesOf } from "../../analysis/trust/given.ts"
import type { Given, GivenSubject, OpenSubjects } from "../../analysis/trust/model.ts"
import type { Connection, PolicySet } from "../../broker/core/policy/model.ts"
import { memberOf } from "../../broker/core/policy/plain.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import type { NamedKey } from "../../broker/providers/key-service.ts"
import { KEY_SERVICES } from "../../broker/providers/key-services.ts"

/** How a vendor writes down whom it trusts. `oidc`: in a form of its own, from issuer, audience and subject. */
export type Vendor = "aws" | "azure" | "google" | "vault" | "oidc"

/** The other side of one connection, and what it must trust. */
export interface Side {
  readonly connection: Connection
  readonly vendor: Vendor
  /** False for a provider that uses no identity token, so that nothing has to be trusted. */
  readonly usesTokens: boolean
  readonly audiences: readonly string[]
  readonly subjects: readonly GivenSubject[]
  readonly open: readonly OpenSubjects[]
  readonly unreachable: Given["unreachable"]
  /** Of every connection that logs in at the same pool of Google Cloud: one condition decides about all of them. */
  readonly pool: { readonly subjects: readonly GivenSubject[]; readonly open: readonly OpenSubjects[] }
}

const VENDORS: readonly string[] = ["aws", "azure", "google", "vault"] satisfies readonly Vendor[]

/** `aws` for `aws-secrets-manager`: the providers of a vendor trust in the same way. */
export function vendorOf(provider: string): Vendor {
  const [vendor = ""] = provider.split("-")
  return VENDORS.includes(vendor) ? (vendor as Vendor) : "oidc"
}

/** The other sides that are asked for, in the order of the organisation file. */
export function sidesOf(
  set: PolicySet,
  given: Given,
  { connection: named, grant }: { readonly connection: string | undefined; readonly grant: string | undefined },
): readonly Side[] {
  const isAsked = (one: { readonly grant: string | null }) => grant === undefined || (one.grant ?? grant) === grant
  const { connections } = set.organisation
  return [...connections.values()]
    .filter(({ name }) => (named ?? name) === name)
    .flatMap((connection): readonly Side[] => {
      const isHere = (one: { readonly connection: string }) => one.connection === connection.name
      const pools = [connection, ...behind(connection)].flatMap((one) => poolProviderOf(one) ?? [])
      const isInPool = (one: { readonly connection: string }) => {
        const other = connections.get(one.connection)
        return (
          other !== undefined && [other, ...behind(other)].some((each) => pools.includes(poolProviderOf(each) ?? ""))
        )
      }
      return sidesBehind({
        connection,
        vendor: vendorOf(connection.provider),
        audiences: audiencesOf(connection, null, PROVIDERS),
        usesTokens: PROVIDERS.get(connection.provider)?.audiences !== undefined,
        subjects: given.subjects.filter((one) => isHere(one) && isAsked(one)),
        open: given.open.filter((one) => isHere(one) && isAsked(one)),
        unreachable: given.unreachable.filter((one) => isHere(one) && isAsked(one)),
        pool: { subjects: given.subjects.filter(isInPool), open: given.open.filter(isInPool) },
      })
    })
}

/** The connections that the keys of a connection for SOPS go through, under its own name: its grants are what they trust. */
const behind = ({ name, provider, settings }: Connection): readonly Connection[] =>
  keysOf(settings).map((key) => ({ name, provider, settings: key.settings, requireBoundToken: false }))

/** The keys of vendors that a connection may use. */
function keysOf(settings: unknown): readonly NamedKey[] {
  const through = memberOf(settings, "through")
  return Array.isArray(through) ? (through as readonly NamedKey[]) : []
}

/** One side for each vendor's connection that keys go through; only the side itself for a connection without such keys. */
function sidesBehind(side: Side): readonly Side[] {
  const keys = keysOf(side.connection.settings)
  const sides = new Map<string, Side>()
  for (const { name, of, entry, settings } of keys) {
    const service = KEY_SERVICES.get(of)
    if (service === undefined) continue
    const { presented = [], ownLogin = [] } = service.audiences(settings)
    const trusted = { door: service.door(entry), audiences: [...presented, ...ownLogin] }
    const before = sides.get(name)
    if (before?.subjects.some(({ door }) => door === trusted.door)) continue
    const through = <Subject extends GivenSubject | OpenSubjects>(
      all: readonly Subject[],
      known: readonly Subject[] = [],
    ) => [...known, ...all.map((one) => ({ ...one, ...trusted }))]
    sides.set(name, {
      ...side,
      connection: { ...side.connection, settings },
      vendor: of as Vendor,
      audiences: trusted.audiences,
      subjects: through(side.subjects, before?.subjects),
      open: through(side.open, before?.open),
    })
  }
  return sides.size === 0 ? [side] : [...sides.values()]
}

/** The subjects by what trusts them there: the role, the client, the account. */
export function byDoor(subjects: readonly GivenSubject[]): ReadonlyMap<string | null, readonly GivenSubject[]> {
  const doors = new Map<string | null, GivenSubject[]>()
  for (const one of subjects) {
    const there = doors.get(one.door)
    if (there === undefined) doors.set(one.door, [one])
    else there.push(one)
  }
  return doors
}

/** The full name of the workload identity pool's provider of a connection to Google Cloud. */
export const poolProviderOf = ({ settings }: Connection): string | undefined =>
  settingOf(settings, "workload_identity_provider")

/** The pool's full name. */
export const poolOf = (connection: Connection): string | undefined =>
  poolProviderOf(connection)?.replace(/\/providers\/[^/]*$/, "")

/** Whether the broker sends session tags to AWS through a connection. */
export const sendsTags = ({ settings }: Connection): boolean => memberOf(settings, "session_tags") === true

/** A text of a connection's settings. */
function settingOf(settings: unknown, key: string): string | undefined {
  const value = memberOf(settings, key)
  return typeof value === "string" ? value : undefined
}

/** The job of a subject by its names of today: `acme/shop (id 41), environment production: grant aws-deploy`. */
export function jobWords({ names, unitId, environment, grant }: GivenSubject): string {
  const id = names.includes(unitId) ? "" : ` (id ${unitId})`
  const where = environment === null ? "no environment" : `environment ${environment}`
  return `${names.join(" or ")}${id}, ${where}: grant ${grant}`
}
