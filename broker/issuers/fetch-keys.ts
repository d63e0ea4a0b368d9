import type { IssuerConfig } from "../core/policy/model.ts"
import { algorithmsOf, type PublicKey, type SignatureAlgorithm } from "../core/public-key.ts"
import { fail, ok, type Result } from "../core/result.ts"
import { parsePlainUrl } from "../core/url.ts"
import type { Cryptography, VerifyingKey } from "../ports/cryptography.ts"
import { type Http, HttpError, type HttpFailure } from "../ports/http.ts"
import { below, discoveryUrlOf, readDiscovery } from "./discovery.ts"
import type { IssuerFamily } from "./family.ts"
import { parseKeySet } from "./jwks.ts"

/** An issuer's imported keys. */
export interface KeySet {
  /** How many keys can be used. */
  readonly size: number
  /** Null when the issuer publishes no such key for this algorithm. */
  find(kid: string, alg: string): VerifyingKey | null
}

/** Limits of each of the two requests. Real documents have 1 to 20 KiB. */
export const MAX_KEY_DOCUMENT_BYTES = 64 * 1024
export const KEY_REQUEST_TIMEOUT_MS = 5_000

/**
 * Fetches an issuer's keys and imports them. The fault says what was wrong with the issuer's answer; it is a clause that
 * starts with "its".
 *
 * Requests only the issuer's discovery document and the key set that it names: on the issuer's own host, or on the one other
 * host that the family fixes for this issuer. Or only the key set at the URL that the organisation file fixes, on any host.
 */
export async function fetchKeys(
  issuer: IssuerConfig,
  family: IssuerFamily,
  http: Http,
  cryptography: Cryptography,
): Promise<Result<KeySet, string>> {
  // Loading refuses such a URL. Policies that were published by an older version were not checked for it.
  if (parsePlainUrl(issuer.url) === null)
    return fail("its URL is not in its plain spelling: correct it and publish again")
  const url = await locateKeys(issuer, family, http)
  if (!url.ok) return url
  const body = await get(url.value, "key set", http)
  if (!body.ok) return body
  const keys = parseKeySet(body.value, family.facts.keySpelling)
  return keys.ok ? ok(await importKeys(keys.value, family.algorithms, cryptography)) : keys
}

async function locateKeys(issuer: IssuerConfig, family: IssuerFamily, http: Http): Promise<Result<string, string>> {
  if (issuer.keys?.by === "url") {
    return parsePlainUrl(issuer.keys.url) === null
      ? fail("its jwks_url is not in its plain spelling: correct it and publish again")
      : ok(issuer.keys.url)
  }
  if (family.keys.by === "path") return ok(below(issuer.url, family.keys.path))
  if (family.keys.by === "host-path") return ok(new URL(family.keys.path, issuer.url).href)
  const body = await get(discoveryUrlOf(issuer.url), "discovery document", http)
  const elsewhere = family.keys.by === "discovery" ? family.keys.elsewhere?.[issuer.url] : undefined
  return body.ok ? readDiscovery(body.value, issuer.url, elsewhere) : body
}

async function get(url: string, what: string, http: Http): Promise<Result<Uint8Array, string>> {
  try {
    const response = await http({
      method: "GET",
      url,
      headers: { accept: "application/json" },
      timeoutMs: KEY_REQUEST_TIMEOUT_MS,
      maxBytes: MAX_KEY_DOCUMENT_BYTES,
    })
    if (response.status !== 200) return fail(`its ${what} was answered with status ${response.status}`)
    return ok(response.body)
  } catch (error) {
    if (error instanceof HttpError) return fail(`its ${what} ${FAILURES[error.reason]}`)
    throw error
  }
}

const FAILURES: Readonly<Record<HttpFailure, string>> = {
  unreachable: "could not be reached",
  timeout: `did not arrive within ${KEY_REQUEST_TIMEOUT_MS / 1000} s`,
  "too-large": `is larger than ${MAX_KEY_DOCUMENT_BYTES / 1024} KiB`,
  redirect: "was answered with a redirect, which is never followed",
}

/** Imports each key once for each algorithm, so that the verification of a token imports nothing. */
export async function importKeys(
  keys: readonly PublicKey[],
  algorithms: readonly SignatureAlgorithm[],
  cryptography: Cryptography,
): Promise<KeySet> {
  const imported = new Map<string, VerifyingKey>()
  for (const key of keys) {
    const { kid, alg: _, ...material } = key
    for (const algorithm of algorithmsOf(key)) {
      if (!algorithms.includes(algorithm)) continue
      const usable = await cryptography.verifyingKey(material, algorithm)
      if (usable !== null) imported.set(idOf(kid, algorithm), usable)
    }
  }
  return { size: imported.size, find: (kid, alg) => imported.get(idOf(kid, alg)) ?? null }
}

/** Names of algorithms contain no space, so two different keys never get the same id. */
function idOf(kid: string, alg: string): string {
  return `${alg} ${kid}`
}
