import type { ClaimValue, Identity } from "../../../broker/core/identity.ts"
import type { EnvironmentDemand, ProtectionFact } from "../../../broker/core/policy/environment-protection.ts"
import {
  type BoundaryText,
  type EntryText,
  type FieldText,
  FORBIDDEN_ROLE,
  ISSUER_URL,
  isPatterns,
  MIN_TTL_SECONDS,
  OWNERS,
  type PolicyText,
  type RuleText,
  type TestText,
  type When,
  type World,
} from "./ceiling-worlds.ts"

// What a job may get, read off the rules in the most literal way, without a line of the engine's: brute force where the
// engine is clever, recursion where it walks once. Slow, and of no use but to be compared with.

export interface NaiveGrant {
  readonly connection: string
  readonly fields: unknown
  readonly ttl: number
  readonly origin: PolicyText["origin"]
}

/** What one grant of the world's comes to; null when its job may not have it. */
export function naiveGrant(world: World, name: string): NaiveGrant | null {
  const { identity, boundaries, fact } = world
  if (identity.issuer !== "github" || identity.issuerUrl !== ISSUER_URL) return null
  if (![...OWNERS.values()].includes(identity.ownerId)) return null

  const spoken = world.policies.filter((policy) => naiveSpeaksOf(policy, identity))
  const over = boundaries.filter((boundary) => isAbout(boundary, world))
  const live = spoken.filter(({ origin }) => origin === "organisation" || over.length > 0)
  const here = live.filter(({ environment }) => environment === identity.environment)
  const definers = here.filter(({ grants }) => Object.keys(grants).includes(name))
  const [definer] = definers
  const offered = definer?.grants[name]
  if (definer === undefined || offered === undefined || definers.length > 1) return null

  const covers = ({ grants }: RuleText) => grants === "all" || grants.includes(name)
  const denies = here.flatMap(({ deny }) => deny).filter(covers)
  if (denies.some(({ when }) => allHold(when, "deny", identity.claims))) return null
  // Who keeps a grant says who gets it.
  const theirs = here.filter(({ origin }) => origin === definer.origin)
  const allows = theirs.flatMap(({ allow }) => allow).filter(covers)
  if (!allows.some(({ when }) => allHold(when, "allow", identity.claims) && namesItsEvent(when, identity))) return null

  const fields = naiveFill(offered.fields, identity)
  if (fields === NOT_FILLABLE) return null
  const isTemplate = JSON.stringify(offered.fields).includes("${")
  if (isTemplate && (fields as { role?: unknown }).role === FORBIDDEN_ROLE) return null

  const grant = { connection: offered.connection, fields }
  const inForce = over.filter((boundary) => isInForce(boundary, world))
  if (over.length > 0 && !over.some((boundary) => naiveAllows(boundary, grant, identity))) return null
  if (!inForce.every(({ require }) => allHold(require, "allow", identity.claims))) return null
  const demands = [...inForce, ...here].flatMap(({ demand }) => (demand === undefined ? [] : [demand]))
  if (!demands.every((demand) => isMet(demand, identity.environment === undefined ? undefined : fact))) return null

  const limits = [offered.ttl, ...inForce.flatMap(({ maxTtl }) => (maxTtl === undefined ? [] : [maxTtl]))]
  if (world.ttl !== undefined) limits.push(world.ttl)
  const ttl = Math.min(...limits)
  if (Number.isNaN(ttl) || ttl <= 0 || ttl < MIN_TTL_SECONDS) return null
  return { ...grant, ttl, origin: definer.origin }
}

/** The claims that say whose repository it is; a boundary is about a repository by these alone. */
const WHOSE = ["iss", "enterprise", "enterprise_id", "repository", "repository_id"].concat(
  "repository_owner",
  "repository_owner_id",
)

export function isAbout({ when }: BoundaryText, world: World): boolean {
  return Object.entries(when).every(([claim, test]) => !WHOSE.includes(claim) || someReadingHolds(claim, test, world))
}

export function isInForce({ when }: BoundaryText, world: World): boolean {
  return Object.entries(when).every(([claim, test]) => someReadingHolds(claim, test, world))
}

/** Whether the boundary, by itself, allows this grant to this job. */
export function naiveAllows(
  { when, allow }: BoundaryText,
  grant: { readonly connection: string; readonly fields: unknown },
  { claims }: Identity,
): boolean {
  return allHold(when, "allow", claims) && allow.some((entry) => entryAllows(entry, grant))
}

/** A job's repository goes by its token's name, by those in policies of its id, and by its owner's listed one. */
function someReadingHolds(claim: string, test: TestText, { identity, policies }: World): boolean {
  const names = [identity.unit]
  for (const policy of policies) {
    if ("id" in policy.target && naiveSpeaksOf(policy, identity)) names.push(policy.target.repository)
  }
  const shortName = identity.unit.split("/").slice(1).join("/")
  for (const [owner, id] of OWNERS) if (id === identity.ownerId) names.push(`${owner}/${shortName}`)
  const readings: (ClaimValue | undefined)[] = [identity.claims[claim]]
  if (claim === "repository") readings.push(...names)
  if (claim === "repository_owner") readings.push(...names.map((name) => name.split("/")[0]))
  return readings.some((value) => holds(test, value, "deny"))
}

function naiveSpeaksOf({ target }: PolicyText, identity: Identity): boolean {
  if ("id" in target) return target.id === identity.unitId
  const [, ...name] = identity.unit.split("/")
  return target.ownerId === identity.ownerId && naiveMatches(target.names, name.join("/"))
}

function namesItsEvent(when: When, { event, claims }: Identity): boolean {
  const test = when["event_name"]
  const named = test !== undefined && "any" in test ? test.any : []
  const isOutsiders = [event, claims["event_name"]].includes("pull_request_target")
  return !isOutsiders || named.includes("pull_request_target")
}

function entryAllows(entry: EntryText, grant: { readonly connection: string; readonly fields: unknown }): boolean {
  if (entry.connection !== grant.connection) return false
  const fields = grant.fields as Readonly<Record<string, unknown>>
  return Object.entries(entry.fields).every(([name, field]) => name in fields && isInside(field, fields[name]))
}

function isInside(field: FieldText, value: unknown): boolean {
  if (isPatterns(field)) {
    const leaves = leavesOf(value)
    return leaves.length > 0 && leaves.every((leaf) => leaf !== null && field.some((one) => naiveMatches(one, leaf)))
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  const members = Object.entries(value)
  return (
    members.length > 0 &&
    members.every(([key, member]) => {
      const inner = field[key]
      return inner !== undefined && isInside(inner, member)
    })
  )
}

/** Everything in a value that is not a list or a map, as text; null for what has none. */
function leavesOf(value: unknown): (string | null)[] {
  if (Array.isArray(value)) return value.flatMap(leavesOf)
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(leavesOf)
  const isText = typeof value === "string" || typeof value === "boolean" || Number.isSafeInteger(value)
  return [isText ? `${value}` : null]
}

function allHold(when: When, style: "allow" | "deny", claims: Identity["claims"]): boolean {
  return Object.entries(when).every(([claim, test]) => holds(test, claims[claim], style))
}

function holds(test: TestText, value: ClaimValue | undefined, style: "allow" | "deny"): boolean {
  const isThere = value !== undefined && value !== null
  if ("present" in test) return isThere === test.present
  if (!isThere) return style === "deny"
  const members: readonly ClaimValue[] = Array.isArray(value) ? value : [value]
  const texts = members.map((member) =>
    typeof member === "string" || typeof member === "boolean" || Number.isSafeInteger(member) ? `${member}` : null,
  )
  const patterns = "any" in test ? test.any : test.none
  const hit = texts.some((text) => text !== null && patterns.some((one) => naiveMatches(one, text)))
  if ("any" in test) return hit
  return !hit && (style === "deny" || !texts.includes(null))
}

/** Tries every way in which the pattern could match. */
export function naiveMatches(pattern: string, value: string): boolean {
  if (pattern === "") return value === ""
  if (pattern.startsWith("**")) {
    return Array.from({ length: value.length + 1 }, (_, at) => value.slice(at)).some((rest) =>
      naiveMatches(pattern.slice(2), rest),
    )
  }
  if (pattern.startsWith("*")) {
    for (let taken = 1; taken <= value.length; taken++) {
      if ("/:@".includes(value.charAt(taken - 1))) return false
      if (naiveMatches(pattern.slice(1), value.slice(taken))) return true
    }
    return false
  }
  return value !== "" && value.charAt(0) === pattern.charAt(0) && naiveMatches(pattern.slice(1), value.slice(1))
}

function isMet(demand: EnvironmentDemand, fact: ProtectionFact | undefined): boolean {
  if (fact === undefined || !fact.known) return false
  const { requiredReviewers, preventSelfReview, deploymentBranches } = fact.protection
  const isForAny = !demand.requiredReviewers && !demand.preventSelfReview && demand.deploymentBranches === undefined
  if (isForAny) return requiredReviewers || deploymentBranches !== "all"
  if (demand.requiredReviewers && !requiredReviewers) return false
  if (demand.preventSelfReview && !preventSelfReview) return false
  const branches: readonly string[] | undefined = demand.deploymentBranches
  return branches === undefined || branches.includes(deploymentBranches)
}

const NOT_FILLABLE = Symbol("a gap that nothing may fill")

const INSERTABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

function naiveFill(value: unknown, identity: Identity): unknown {
  if (typeof value === "string") return fillText(value, identity)
  if (typeof value !== "object" || value === null) return value
  const filled = Object.entries(value).map(([key, member]) => [key, naiveFill(member, identity)] as const)
  if (filled.some(([, member]) => member === NOT_FILLABLE)) return NOT_FILLABLE
  return Array.isArray(value) ? filled.map(([, member]) => member) : Object.fromEntries(filled)
}

function fillText(text: string, { claims, unit: repository }: Identity): string | typeof NOT_FILLABLE {
  const [before = "", behind] = text.split("${")
  if (behind === undefined) return text
  const [claim = "", after = ""] = behind.split("}")
  const value = claim === "repository_name" ? repository.split("/").slice(1).join("/") : claims[claim]
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return NOT_FILLABLE
  const insert = String(value)
  const isName = insert !== "" && [...insert].every((character) => INSERTABLE.includes(character))
  if (!isName || [...insert].every((character) => character === ".")) return NOT_FILLABLE
  return `${before}${insert}${after}`
}
