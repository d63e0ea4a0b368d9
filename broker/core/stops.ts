import * as z from "zod"
import type { Identity } from "./identity.ts"
import { visible } from "./policy/faults.ts"
import type { Grant } from "./policy/model.ts"
import { fail, ok, type Result } from "./result.ts"

/** The document that lists the stops. */
export const STOPS_DOCUMENT = "stops"

/** More would make every exchange slow. Whoever needs more stops an owner or an issuer. */
export const MOST_STOPS = 500
/** Alarms leave room: units that raise them must not keep operators from ordering more. */
export const MOST_BY_ALARMS = 400
export const MAX_REASON_CHARACTERS = 300

const text = z.string().min(1)

/**
 * What a stop concerns. Ids decide, and names are for people; only connections and grants have nothing but a name. A member
 * that is missing narrows nothing, so that a stop that was damaged concerns more, never less.
 */
const scopeShape = {
  on: z.enum(["all", "issuer", "owner", "unit", "connection", "grant"]),
  /** The issuer's URL: of an issuer, an owner, a unit, and a grant of one unit. */
  issuer: text.exactOptional(),
  /** The owner's id, or the unit's. */
  id: text.exactOptional(),
  /** Of what is stopped. */
  name: text.exactOptional(),
  /** The unit's name, for a grant of one unit. */
  unit: text.exactOptional(),
}

const stopSchema = z.strictObject({
  ...scopeShape,
  reason: text,
  /** Who ordered it, for people: `operator NAME`, or `alarm NAME`. */
  by: text,
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  /** When it ends by itself (ISO 8601, UTC); null: when somebody resumes. */
  until: z.iso.datetime().nullable(),
})

const documentSchema = z.strictObject({ v: z.literal(1), stops: z.array(stopSchema) })

export type Stop = z.output<typeof stopSchema>
export type StopScope = Pick<Stop, keyof typeof scopeShape>

/**
 * Reads the document. Strict: what this version does not understand may be a stop, so the caller must grant nothing then.
 *
 * @param document null where it was never written
 */
export function readStops(document: string | null): Result<readonly Stop[], "unreadable"> {
  if (document === null) return ok([])
  try {
    return ok(documentSchema.parse(JSON.parse(document)).stops)
  } catch {
    return fail("unreadable")
  }
}

export const writeStops = (stops: readonly Stop[]): string => JSON.stringify({ v: 1, stops })

/** The first stop that concerns one of these grants for this job at `now` (Unix milliseconds); null: none does. */
export function stopOf(stops: readonly Stop[], identity: Identity, grants: readonly Grant[], now: number): Stop | null {
  return (
    stops.find(
      (stop) =>
        !isOver(stop, now) &&
        concernsUnit(stop, identity) &&
        grants.some((grant) => !mayStop(grant) && concernsGrant(stop, grant.name, grant.connection.name)),
    ) ?? null
  )
}

export const isOver = ({ until }: Stop, now: number): boolean => until !== null && Date.parse(until) <= now

export const concernsUnit = (
  { on, issuer, id }: StopScope,
  unit: Pick<Identity, "issuerUrl" | "ownerId" | "unitId">,
): boolean =>
  (issuer === undefined || issuer === unit.issuerUrl) &&
  (id === undefined || id === (on === "owner" ? unit.ownerId : unit.unitId))

export const concernsGrant = ({ on, name }: StopScope, grant: string, connection: string): boolean =>
  on === "connection" ? name === connection : on !== "grant" || name === grant

/** A grant with which its holder may lift stops. It is never stopped: else a stop could lock out everybody who can end it. */
export function mayStop({ connection, fields }: Grant): boolean {
  const may = (fields as { readonly may?: unknown } | null)?.may
  return connection.provider === "broker" && Array.isArray(may) && may.includes("stop")
}

/** The scope in words: `unit acme/shop (41)`, `grant deploy of acme/shop (41)`. One line: an operator may have typed the id. */
export function scopeText({ on, name = "", id, unit }: StopScope): string {
  if (on === "all") return on
  const whose = on === "grant" && id !== undefined ? ` of ${unit}` : ""
  return visible(`${on} ${name}${whose}${id === undefined ? "" : ` (${id})`}`)
}

/** Whether two scopes are the same, whatever their names for people. */
export const isSameScope = (one: StopScope, other: StopScope): boolean =>
  one.on === other.on &&
  one.issuer === other.issuer &&
  one.id === other.id &&
  ((one.on !== "connection" && one.on !== "grant") || one.name === other.name)
