import { createHash } from "node:crypto"
import type { SearchTerms } from "../../../analysis/records/search.ts"
import { isAwsKeyId } from "../../../broker/core/leaked-value.ts"
import type { CliIo } from "../../io.ts"

/** The terms that the options are. */
const TERMS = {
  unit: "unit",
  "unit-id": "unit_id",
  owner: "owner",
  actor: "actor",
  "actor-id": "actor_id",
  // --grant is the operator's own.
  "grant-name": "grant",
  connection: "connection",
  resource: "resource",
  code: "code",
  event: "event",
  lease: "lease",
  run: "run",
  "request-id": "request_id",
} as const satisfies Readonly<Record<string, keyof SearchTerms>>

/** Longer than any credential. */
const MAX_VALUE_BYTES = 256 * 1024

/**
 * The terms of the options, or a sentence that says what is wrong with them. A value is read from standard input, so that it is
 * in no history and no list of processes, and only its hash is kept.
 */
export async function termsOf(options: Readonly<Record<string, unknown>>, io: CliIo): Promise<SearchTerms | string> {
  const terms: { -readonly [Name in keyof SearchTerms]: string } = {}
  for (const [option, term] of Object.entries(TERMS)) {
    const value = options[option]
    if (value === "") return `--${option} is empty`
    if (typeof value === "string") terms[term] = value
  }
  if (options["value"] === undefined) return terms
  if (options["value"] !== "-")
    return "--value takes - only: the value is read from standard input, so that no history keeps it"
  const bytes = await io.readInput(MAX_VALUE_BYTES)
  if (bytes === null) return `the value is longer than ${MAX_VALUE_BYTES} bytes`
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? -2 : -1) : bytes.length
  const value = Buffer.from(bytes).subarray(0, end)
  if (value.length === 0) return "the value on standard input is empty"
  const text = value.toString("utf8")
  return { ...terms, fingerprint: isAwsKeyId(text) ? text : createHash("sha256").update(value).digest("hex") }
}
