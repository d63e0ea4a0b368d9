import { utf8ToBytes } from "@noble/hashes/utils.js"
import { encodeBase64, parseSize } from "../core/checkpoint/base64.ts"
import { formatSignature, parseSignatures } from "../core/checkpoint/note.ts"
import type { Hash } from "../core/checkpoint/tree.ts"
import type { PolicyWitness } from "../core/checkpoint/trust-policy.ts"
import { type VerifyEd25519, verifySignatures } from "../core/checkpoint/verifier-key.ts"
import { textOfUtf8 } from "../core/utf8.ts"
import { type Http, HttpError, type HttpResponse } from "../ports/http.ts"

const TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 64 * 1024
/** One to hear which checkpoint the witness has, and one with the proof from there. */
const MOST_REQUESTS = 2

/** A checkpoint that is to be cosigned. */
export interface Uncosigned {
  readonly size: number
  readonly text: string
  /** The log's signature line. */
  readonly line: string
}

/** `line`: the witness's signature line. Otherwise our own sentence, and the size that the witness has if it told one. */
export type WitnessAnswer =
  | { readonly ok: true; readonly line: string }
  | { readonly ok: false; readonly reason: string; readonly size?: number }

export interface WitnessParts {
  readonly http: Http
  readonly verify: VerifyEd25519
  /** Proves that the log of `size` leaves begins with the one of `old`. */
  prove(old: number, size: number): Promise<readonly Hash[]>
}

/**
 * Asks a witness to cosign a checkpoint (c2sp.org/tlog-witness). `known`: the size of the last one that it cosigned, as far as
 * the log knows; the witness corrects it. Never throws for what the witness or the network does.
 */
export async function askWitness(
  { key, url }: PolicyWitness,
  checkpoint: Uncosigned,
  known: number,
  parts: WitnessParts,
): Promise<WitnessAnswer> {
  if (url === null) return { ok: false, reason: "the policy of witnesses has no URL for it" }
  let old = known
  for (let request = 1; ; request += 1) {
    const proof = await parts.prove(old, checkpoint.size)
    const answer = await send(parts.http, `${url.replace(/\/$/, "")}/add-checkpoint`, bodyOf(old, proof, checkpoint))
    if (typeof answer === "string") return { ok: false, reason: answer }
    if (answer.status === 200) {
      const line = await cosignatureIn(answer.body, { key, text: checkpoint.text, verify: parts.verify })
      return line === null
        ? { ok: false, reason: "it answered without a valid cosignature of its key" }
        : { ok: true, line }
    }
    const size = answer.status === 409 ? sizeIn(answer) : null
    if (size === null || size === old) return { ok: false, reason: reasonOf(answer.status) }
    if (size > checkpoint.size) return { ok: false, reason: ahead(size, checkpoint.size), size }
    if (request === MOST_REQUESTS) return { ok: false, reason: "it named another size with each answer", size }
    old = size
  }
}

export function bodyOf(old: number, proof: readonly Hash[], { text, line }: Pick<Uncosigned, "text" | "line">): string {
  return `old ${old}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join("")}\n${text}\n${line}`
}

async function send(http: Http, url: string, body: string): Promise<HttpResponse | string> {
  try {
    return await http({
      method: "POST",
      url,
      body: utf8ToBytes(body),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    })
  } catch (error) {
    if (error instanceof HttpError) return `it cannot be reached: ${error.reason}`
    throw error
  }
}

/** The signature line of the witness's key, if it is right. Lines of others are left out. */
async function cosignatureIn(
  body: Uint8Array,
  { key, text, verify }: { readonly key: PolicyWitness["key"]; readonly text: string; readonly verify: VerifyEd25519 },
): Promise<string | null> {
  const lines = parseSignatures(textOfUtf8(body) ?? "")
  const line = lines.ok ? lines.value.find(({ name, keyId }) => name === key.name && keyId === key.keyId) : undefined
  if (line === undefined) return null
  const verified = await verifySignatures(text, [line], [key], verify)
  return verified.ok && verified.value.length === 1 ? formatSignature(line) : null
}

function sizeIn(answer: HttpResponse): number | null {
  const isSize = answer.header("content-type")?.split(";")[0]?.trim() === "text/x.tlog.size"
  return isSize ? parseSize((textOfUtf8(answer.body) ?? "").replace(/\n$/, "")) : null
}

const REASONS = new Map<number, string>([
  [400, "it cannot read the request"],
  [403, "it does not accept this log's key: give it the key that daypass audit checkpoint prints"],
  [404, "it does not know this log: give it the key that daypass audit checkpoint prints"],
  [409, "it has another checkpoint of this size: the log was set back to an older state, or another log has its key"],
  [422, "it says that this log is not the one that it has cosigned: the log was set back to an older state"],
  [429, "it has too many requests now"],
])

const reasonOf = (status: number): string => REASONS.get(status) ?? `it answered with status ${status}`

const ahead = (theirs: number, ours: number) =>
  `it has cosigned ${theirs} heads of this log, which has ${ours}: the log was set back to an older state`
