import type { Claims } from "../broker/core/identity.ts"
import { visible } from "../broker/core/policy/faults.ts"
import { fail, ok, type Result } from "../broker/core/result.ts"
import { parseCompactJws } from "../broker/issuers/compact-jws.ts"
import { KEY_BINDING_SEPARATOR } from "../broker/wire/exchange.ts"
import type { CliIo } from "./io.ts"

/** A subject token from standard input, not verified. The text is a credential and is never printed. */
export interface ReadToken {
  readonly text: string
  readonly claims: Claims
}

/** The longest token is 16 KiB, with room for white space around it. */
const MAX_INPUT_BYTES = 32 * 1024

/** Reads a subject token from standard input. The fault is a sentence that never quotes the input. */
export async function readSubjectToken(io: CliIo): Promise<Result<ReadToken, string>> {
  const input = await io.readInput(MAX_INPUT_BYTES)
  if (input === null) return fail("standard input is longer than any subject token")
  const text = new TextDecoder("latin1").decode(input).trim()
  if (text === "") return fail("standard input is empty: pipe a subject token into it")
  const jws = parseCompactJws(text)
  if (!jws.ok) return fail(`standard input is not a subject token that a broker can read: it ${jws.fault}`)
  return ok({ text, claims: jws.value.payload })
}

/** Whether a token can be used only with the job's key: its audience then ends with the thumbprint of the key. */
export function isKeyBound({ aud }: Claims): boolean {
  const audiences = Array.isArray(aud) ? aud : [aud]
  return audiences.some((audience) => typeof audience === "string" && audience.includes(KEY_BINDING_SEPARATOR))
}

/** When a token expires; null if its `exp` is not a valid date. */
export function expiryOf({ exp }: Claims): Date | null {
  return dateOf(exp)
}

/** The claims as lines for people. Times are also shown as dates; control characters are escaped. */
export function describeClaims(claims: Claims): string[] {
  const names = Object.keys(claims)
  const width = Math.min(MAX_NAME_COLUMNS, Math.max(0, ...names.map((name) => visible(name).length)))
  return names.map((name) => {
    const value = claims[name] ?? null
    const date = TIMES.has(name) ? dateOf(value) : null
    return `  ${visible(name).padEnd(width)}  ${visible(JSON.stringify(value))}${date ? ` (${date.toISOString()})` : ""}`
  })
}

const MAX_NAME_COLUMNS = 32

/** The claims that hold seconds since 1970 (RFC 7519, section 4.1). */
const TIMES: ReadonlySet<string> = new Set(["exp", "iat", "nbf"])

function dateOf(seconds: unknown): Date | null {
  if (typeof seconds !== "number") return null
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? null : date
}
