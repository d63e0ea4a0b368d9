import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import { fail, ok, type Result } from "../result.ts"
import { type CompiledOrganisation, type CompiledPolicy, revivedOrganisation, revivedPolicy } from "./compiled.ts"
import type { Organisation, Policy, PolicySet, PolicySubject } from "./model.ts"
import { isPlainMap } from "./plain.ts"
import { policySet } from "./policy-set.ts"
import type { ProviderSchemaTable } from "./provider-schemas.ts"

// The form of a policy set in a store without ordering: a reader may see the new value of one key and the old value of
// another. So one value, `current`, names everything else by the hash of its text. A reader of `current` gets exactly that
// set, or an error. It never gets parts of two sets, such as a new allow without the deny that was published with it.
// `daypass push` writes the form: cli/push/publication.ts.

/** Raised when an older broker would misread what is written. */
export const PUBLISHED_FORMAT = 3

/** Format 2 called a policy's unit its repository. A broker that was updated reads it until the next push. */
const READABLE_FORMATS: readonly unknown[] = [2, PUBLISHED_FORMAT]

/** The key of the set in force. It is the only key whose value ever changes. */
export const CURRENT_KEY = "current"

/** How far the clocks of publisher and broker may differ. A set from further ahead would keep every right one out. */
export const PUBLISHED_AHEAD_SECONDS = 600

/** The prefix of the keys of units' policies. Its text is as old as the first format, when every unit was a repository. */
export const UNIT_KEY_PREFIX = "repository/"

/** The value of `current`. */
export interface PublishedCurrent extends PublishedContent {
  readonly format: 2 | typeof PUBLISHED_FORMAT
  /** The version of the set: the digest of its content, `versionOf`. The same content has the same version. */
  readonly version: string
  /** ISO 8601 in UTC, with milliseconds. Of two values of `current`, the one with the later time is newer. */
  readonly published_at: string
  /** The publisher's Ed25519 signature of `signedText`, base64url; left out when the set is not signed. */
  readonly signature?: string
}

/** What a set says. */
export interface PublishedContent {
  /** The number of policies in the whole set. */
  readonly count: number
  readonly organisation: CompiledOrganisation
  /** The policies that cover several units. They are few, and may apply to any job. */
  readonly wide: readonly CompiledPolicy[]
  /**
   * Issuer -> unit id -> hash of the text of its policies. A unit that is not listed has no policies of its own. The
   * member's name is as old as the key's prefix.
   */
  readonly repositories: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Where a publication holds the policies of one unit. */
export interface PublishedPlace {
  readonly issuer: string
  readonly unitId: string
  readonly hash: string
}

/** The parsed `current`. It is enough to decide for units without policies of their own. */
export interface PublishedSet {
  readonly version: string
  readonly publishedAt: string
  readonly count: number
  readonly organisation: Organisation
  /** The set of policies that cover several units. */
  readonly wide: PolicySet
  /** Where a unit's own policies are; null means with certainty that it has none. */
  placeOf(subject: Pick<PolicySubject, "issuer" | "unitId">): PublishedPlace | null
  /** The units that have policies of their own. */
  units(): readonly Omit<PublishedPlace, "hash">[]
}

/** The key for one text of a unit's policies. */
export function keyOf({ issuer, unitId, hash }: PublishedPlace): string {
  return `${UNIT_KEY_PREFIX}${issuer}/${unitId}/${hash}`
}

/** SHA-256 of the content, hex. JSON of a parsed value is the same text again, so writers and readers agree. */
export function versionOf({ count, organisation, wide, repositories }: PublishedContent): string {
  return digestOf(JSON.stringify({ count, organisation, wide, repositories }))
}

/** What a publisher signs: the content by its digest, and when it was published. */
export function signedText({ format, version, published_at: at }: PublishedCurrent): string {
  return `daypass published policies\n${format}\n${version}\n${at}\n`
}

/**
 * Parses the text of `current`, and checks its digest. The fault is a sentence that quotes none of the text. The hashes of
 * units are not checked: there may be thousands, and an invalid hash leads to a missing key, which the reader
 * reports. The caller checks the signature.
 */
export function parseCurrent(text: string): Result<PublishedCurrent, string> {
  const value = parsedJson(text)
  if (!isPlainMap(value)) return fail(NOT_READABLE)
  const { format, version, published_at: at, count, organisation, wide, repositories, signature } = value
  if (!READABLE_FORMATS.includes(format))
    return fail(Number.isSafeInteger(format) ? otherFormat(Number(format)) : NOT_READABLE)
  const good =
    typeof version === "string" &&
    VERSION.test(version) &&
    typeof at === "string" &&
    MOMENT.test(at) &&
    Number.isSafeInteger(count) &&
    isPlainMap(organisation) &&
    Array.isArray(wide) &&
    isPlainMap(repositories) &&
    Object.values(repositories).every(isPlainMap) &&
    (signature === undefined || typeof signature === "string")
  if (!good) return fail(NOT_READABLE)
  const current = value as unknown as PublishedCurrent
  return versionOf(current) === version ? ok(current) : fail(OTHER_CONTENT)
}

/** Makes `current` usable; never throws. The fault is a sentence. */
export function revivedCurrent(
  current: PublishedCurrent,
  providers: ProviderSchemaTable,
): Result<PublishedSet, string> {
  const { version, published_at: publishedAt, count, repositories } = current
  try {
    const organisation = revivedOrganisation(current.organisation)
    const wide = current.wide.map((policy) => revivedPolicy(policy, organisation, providers))
    if (wide.some(({ target }) => target.kind !== "owner")) return fail(NOT_READABLE)
    return ok({
      version,
      publishedAt,
      count,
      organisation,
      wide: policySet(version, organisation, wide),
      placeOf({ issuer, unitId }) {
        const ofIssuer = Object.hasOwn(repositories, issuer) ? repositories[issuer] : undefined
        if (ofIssuer === undefined || !Object.hasOwn(ofIssuer, unitId)) return null
        return { issuer, unitId, hash: String(ofIssuer[unitId]) }
      },
      units: () =>
        Object.entries(repositories).flatMap(([issuer, ids]) => Object.keys(ids).map((unitId) => ({ issuer, unitId }))),
    })
  } catch {
    return fail(OTHER_VERSION)
  }
}

/**
 * Reads the value of a unit's key; never throws. The text must have the hash that `current` names, and cover only
 * that unit. A value that was cut, changed or moved is a fault, and never counts as a unit without policies.
 */
export function readUnitPolicies(
  text: string,
  place: PublishedPlace,
  organisation: Organisation,
  providers: ProviderSchemaTable,
): Result<readonly Policy[], string> {
  if (hashOf(text) !== place.hash) return fail(OTHER_TEXT)
  const value = parsedJson(text)
  if (!Array.isArray(value) || value.length === 0) return fail(OTHER_TEXT)
  try {
    const policies = (value as readonly CompiledPolicy[]).map((from) => revivedPolicy(from, organisation, providers))
    const ofPlace = ({ issuer, target }: Policy) =>
      issuer === place.issuer && target.kind === "unit" && target.id === place.unitId
    return policies.every(ofPlace) ? ok(policies) : fail(OTHER_TEXT)
  } catch {
    return fail(OTHER_VERSION)
  }
}

const VERSION = /^[0-9a-f]{64}$/
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const NOT_READABLE = "The published policies cannot be read: push the policies again, with --all."
const otherFormat = (format: number) =>
  format < PUBLISHED_FORMAT
    ? "The published policies have the format of an older version of Daypass: push the policies again with this version, with --all."
    : "The published policies have the format of a newer version of Daypass: use the version that published them."
const OTHER_VERSION =
  "The published policies were compiled by an incompatible version of Daypass: push the policies again with this version, with --all."
const OTHER_CONTENT =
  "The published policies differ from their digest, so they were changed after they were published: push the policies again, with --all."
const OTHER_TEXT = "The stored policies of a unit differ from the published ones: push the policies again, with --all."

/** 128 bits of SHA-256. Replacing the text under a known hash needs a second preimage. */
const HASH_DIGITS = 32

/** Names a unit's text. */
export const hashOf = (text: string): string => digestOf(text).slice(0, HASH_DIGITS)

const digestOf = (text: string) => bytesToHex(sha256(utf8ToBytes(text)))

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
