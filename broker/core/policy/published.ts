import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import { fail, ok, type Result } from "../result.ts"
import {
  type CompiledOrganisation,
  type CompiledPolicy,
  compiledOrganisation,
  compiledPolicy,
  revivedOrganisation,
  revivedPolicy,
} from "./compiled.ts"
import type { Organisation, Policy, PolicySet, PolicySubject } from "./model.ts"
import { isPlainMap } from "./plain.ts"
import { policySet } from "./policy-set.ts"
import type { ProviderSchemaTable } from "./provider-schemas.ts"

// A policy set as it lies in a store that keeps no order: a reader may see the new value of one key and the old one of
// another. So one value, `current`, names everything else by the hash of its text. Whoever read it gets that very set, or
// an error, and never half of one set and half of another: not a new allow without the deny that came with it.

/** Raised whenever a broker of before would read what is written otherwise than it is meant. */
export const PUBLISHED_FORMAT = 1

/** The key that says what is in force: the only one whose value ever changes. */
export const CURRENT_KEY = "current"

/** How the keys of repositories' policies begin. */
export const REPOSITORY_KEY_PREFIX = "repository/"

/** The value of `current`. */
export interface PublishedCurrent {
  readonly format: typeof PUBLISHED_FORMAT
  /** The set's. */
  readonly version: string
  /** ISO 8601 in UTC, with milliseconds. Of two values the later one is the newer. */
  readonly published_at: string
  /** How many policies the whole set has. */
  readonly count: number
  readonly organisation: CompiledOrganisation
  /** The policies that speak of several repositories. They are few, and any job may be theirs. */
  readonly wide: readonly CompiledPolicy[]
  /** Issuer -> repository id -> hash of the text of its policies. A repository that is not here has none of its own. */
  readonly repositories: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** What a store holds for one set. */
export interface Publication {
  readonly current: PublishedCurrent
  /** Key -> text, of every repository. What lies under such a key never changes. */
  readonly entries: ReadonlyMap<string, string>
}

/** One repository's place in a publication. */
export interface PublishedPlace {
  readonly issuer: string
  readonly repositoryId: string
  readonly hash: string
}

/** `current`, read: enough to decide by for repositories without policies of their own. */
export interface PublishedSet {
  readonly version: string
  readonly publishedAt: string
  readonly count: number
  readonly organisation: Organisation
  /** The policies of several repositories, as a set. */
  readonly wide: PolicySet
  /** Where a repository's own policies are; null is the positive answer that it has none. */
  placeOf(subject: Pick<PolicySubject, "issuer" | "repositoryId">): PublishedPlace | null
}

/** Writes a set as it is published. The same set makes the same keys and texts. */
export function published(set: PolicySet, publishedAt: Date): Publication {
  const wide: CompiledPolicy[] = []
  const own = new Map<string, Map<string, CompiledPolicy[]>>()
  for (const policy of set.policies) {
    if (policy.target.kind === "owner") {
      wide.push(compiledPolicy(policy))
      continue
    }
    const ofIssuer = own.get(policy.issuer) ?? new Map<string, CompiledPolicy[]>()
    own.set(policy.issuer, ofIssuer)
    ofIssuer.set(policy.target.id, [...(ofIssuer.get(policy.target.id) ?? []), compiledPolicy(policy)])
  }
  const entries = new Map<string, string>()
  const repositories: Record<string, Record<string, string>> = {}
  for (const [issuer, ofIssuer] of own) {
    const hashes: [string, string][] = []
    for (const [repositoryId, policies] of ofIssuer) {
      const text = JSON.stringify(policies)
      const hash = hashOf(text)
      hashes.push([repositoryId, hash])
      entries.set(keyOf({ issuer, repositoryId, hash }), text)
    }
    repositories[issuer] = Object.fromEntries(hashes)
  }
  const current: PublishedCurrent = {
    format: PUBLISHED_FORMAT,
    version: set.version,
    published_at: publishedAt.toISOString(),
    count: set.policyCount,
    organisation: compiledOrganisation(set.organisation),
    wide,
    repositories,
  }
  return { current, entries }
}

/** Where a repository's policies of one text lie. */
export function keyOf({ issuer, repositoryId, hash }: PublishedPlace): string {
  return `${REPOSITORY_KEY_PREFIX}${issuer}/${repositoryId}/${hash}`
}

/** Every place that a value of `current` names. */
export function placesIn({ repositories }: PublishedCurrent): PublishedPlace[] {
  return Object.entries(repositories).flatMap(([issuer, ofIssuer]) =>
    Object.entries(ofIssuer).map(([repositoryId, hash]) => ({ issuer, repositoryId, hash })),
  )
}

/**
 * Parses the text of `current`; the fault is a sentence that quotes nothing of it. Its hashes are not looked at: one that
 * is none leads to no key, which a reader finds out, and there may be thousands.
 */
export function parseCurrent(text: string): Result<PublishedCurrent, string> {
  const value = parsedJson(text)
  if (!isPlainMap(value)) return fail(NOT_READABLE)
  const { format, version, published_at: at, count, organisation, wide, repositories } = value
  if (format !== PUBLISHED_FORMAT) return fail(Number.isSafeInteger(format) ? OTHER_FORMAT : NOT_READABLE)
  const good =
    typeof version === "string" &&
    VERSION.test(version) &&
    typeof at === "string" &&
    MOMENT.test(at) &&
    Number.isSafeInteger(count) &&
    isPlainMap(organisation) &&
    Array.isArray(wide) &&
    isPlainMap(repositories) &&
    Object.values(repositories).every(isPlainMap)
  return good ? ok(value as unknown as PublishedCurrent) : fail(NOT_READABLE)
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
      placeOf({ issuer, repositoryId }) {
        const ofIssuer = Object.hasOwn(repositories, issuer) ? repositories[issuer] : undefined
        if (ofIssuer === undefined || !Object.hasOwn(ofIssuer, repositoryId)) return null
        return { issuer, repositoryId, hash: String(ofIssuer[repositoryId]) }
      },
    })
  } catch {
    return fail(OTHER_VERSION)
  }
}

/**
 * Reads what lies under a repository's key; never throws. The text must be the one that `current` named, and speak of
 * that repository alone: a value that was cut, changed or put elsewhere is a fault, never a repository without policies.
 */
export function readRepository(
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
      issuer === place.issuer && target.kind === "repository" && target.id === place.repositoryId
    return policies.every(ofPlace) ? ok(policies) : fail(OTHER_TEXT)
  } catch {
    return fail(OTHER_VERSION)
  }
}

const VERSION = /^[0-9a-f]{64}$/
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const NOT_READABLE = "What is published cannot be read: push the policies again, with --all."
const OTHER_FORMAT =
  "What is published has a format that this version of Daypass does not know: use the version that published it."
const OTHER_VERSION =
  "What is published was compiled by a version of Daypass that this one does not go with: push the policies again with this version, with --all."
const OTHER_TEXT = "A repository's policies are not the ones that were published: push the policies again, with --all."

/** 128 bits of SHA-256: to put another text under a hash that is named already, somebody would have to find one. */
const HASH_DIGITS = 32

const hashOf = (text: string) => bytesToHex(sha256(utf8ToBytes(text))).slice(0, HASH_DIGITS)

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
