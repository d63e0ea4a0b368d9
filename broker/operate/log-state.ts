import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import * as z from "zod"
import type { Sha256 } from "../core/audit-chain.ts"
import { encodeBase64 } from "../core/checkpoint/base64.ts"
import { formatSignature } from "../core/checkpoint/note.ts"
import { emptyRoot } from "../core/checkpoint/tree.ts"
import { keyIdOf, type VerifierKey } from "../core/checkpoint/verifier-key.ts"
import { BrokerError } from "../core/errors.ts"
import { Secret } from "../core/secret.ts"
import type { Documents } from "../ports/documents.ts"
import type { Ed25519 } from "../ports/ed25519.ts"
import { type Sealer, sealedAnew } from "../signing/sealer.ts"
import type { SealedUnder } from "../wire/keys.ts"

/** What one witness has told of the log. */
const witnessState = z.object({
  /** The size of the last checkpoint that it cosigned. */
  size: z.int().min(0),
  /** Its signature line over that checkpoint; null before the first. */
  line: z.string().nullable(),
  /** ISO 8601: since when it has not cosigned the newest checkpoint, and why; null while it has. */
  failing: z.object({ since: z.string(), reason: z.string() }).nullable(),
})

const logState = z.object({
  /** Random: a log whose state was lost goes on under another name, and never signs two histories under one. */
  birth: z.string().regex(/^[0-9a-f]{16}$/),
  /** Why this log was begun, for the record. */
  reason: z.string(),
  /** Whether its beginning stands in the audit trail. */
  recorded: z.boolean(),
  /** The newest checkpoint: its size, its root in hex, its text, and the log's signature line. */
  size: z.int().min(0),
  root: z.string().regex(/^[0-9a-f]{64}$/),
  /** ISO 8601; null before the first checkpoint. */
  signedAt: z.string().nullable(),
  /** The signed text; null before the first. */
  text: z.string().nullable(),
  line: z.string().nullable(),
  /** By the verifier key of each. */
  witnesses: z.record(z.string(), witnessState),
  /** The newest checkpoint with cosignatures for the quorum: a whole note, and its size; null before the first. */
  published: z.object({ size: z.int().min(1), note: z.string() }).nullable(),
})

export type LogState = z.infer<typeof logState>
export type WitnessState = z.infer<typeof witnessState>

const logKey = z.object({ birth: z.string(), sealed: z.string() })

/** A state with the version that it had when it was read. */
export interface ReadState {
  readonly version: number
  readonly state: LogState
}

/** Signs as the log. */
export interface LogSigner {
  readonly key: VerifierKey
  /** The signature line over a checkpoint's text. */
  sign(text: string): Promise<string>
}

export interface LogStateParts {
  readonly documents: Documents
  readonly sealer: Sealer
  readonly ed25519: Ed25519
  readonly sha256: Sha256
  /** The broker's URL. */
  readonly url: string
}

const STATE = "log"
const KEY = "log-key"

/** The state and the key of the log of heads, in two documents of the deployment. */
export class LogStates {
  readonly #parts: LogStateParts
  #signer: (LogSigner & { readonly birth: string }) | null = null

  constructor(parts: LogStateParts) {
    this.#parts = parts
  }

  /** The log's name: the broker's URL without its scheme, and the log's birth. */
  originOf({ birth }: Pick<LogState, "birth">): string {
    return `${this.#parts.url.replace(/^https?:\/\//, "").replace(/\/$/, "")}/log/${birth}`
  }

  /** Null before the log begins. @throws {BrokerError} `ledger_unavailable`; `configuration_invalid` for a changed document */
  async read(): Promise<ReadState | null> {
    return await readLogState(this.#parts.documents)
  }

  /** False when another broker was first. */
  replace(version: number, state: LogState): Promise<boolean> {
    return this.#parts.documents.replace(STATE, version, JSON.stringify(state))
  }

  /** Begins a log in the place of the one at `version`; 0: of none. */
  async begin(version: number, reason: string): Promise<boolean> {
    return await this.replace(version, {
      birth: bytesToHex(crypto.getRandomValues(new Uint8Array(8))),
      ...{ reason, recorded: false, size: 0, root: bytesToHex(emptyRoot(this.#parts.sha256)), signedAt: null },
      ...{ text: null, line: null, witnesses: {}, published: null },
    })
  }

  /**
   * The signer of a log. Makes its key if the log has signed nothing yet. Null when the key of a log that has signed is lost:
   * another key under the same name would look like a thief's.
   *
   * @throws {BrokerError} `ledger_unavailable`, `configuration_invalid`
   */
  async signer(state: LogState): Promise<LogSigner | null> {
    if (this.#signer?.birth === state.birth) return this.#signer
    const { documents, sealer, ed25519 } = this.#parts
    const stored = await documents.read(KEY)
    const key = stored.text === null ? null : parsed(logKey, stored.text)
    if (key?.birth === state.birth) return await this.#opened(state, key)
    if (state.text !== null) return null
    const made = encodeBase64((await ed25519.generate()).reveal())
    const sealed = await sealer.seal(new Secret(made), placeOf(state))
    // Whoever was first has made the key.
    await documents.replace(KEY, stored.version, JSON.stringify({ birth: state.birth, sealed }))
    return await this.#opened(state, parsed(logKey, (await documents.read(KEY)).text ?? ""))
  }

  async #opened(state: LogState, key: z.infer<typeof logKey>): Promise<LogSigner | null> {
    if (key.birth !== state.birth) return null
    const { sealer, ed25519, sha256 } = this.#parts
    const opened = await sealer.open(key.sealed, placeOf(state))
    const pkcs8 = Uint8Array.from(atob(opened.reveal()), (character) => character.charCodeAt(0))
    const { publicKey, sign } = await ed25519.signer(new Secret(pkcs8))
    const name = this.originOf(state)
    const verifier: VerifierKey = {
      name,
      keyId: keyIdOf(name, "ed25519", publicKey, sha256),
      type: "ed25519",
      publicKey,
    }
    const signer = {
      birth: state.birth,
      key: verifier,
      sign: async (text: string) => formatSignature({ ...verifier, signature: await sign(utf8ToBytes(text)) }),
    }
    this.#signer = signer
    return signer
  }
}

/** As `LogStates.read`. */
export async function readLogState(documents: Documents): Promise<ReadState | null> {
  const { version, text } = await documents.read(STATE)
  return text === null ? null : { version, state: parsed(logState, text) }
}

/** Under which deployment key the log's key is sealed; null when there is none yet. @throws {BrokerError} as `LogStates.read` */
export async function logKeySealedUnder({ documents, sealer }: LogKeyParts): Promise<SealedUnder | null> {
  const { text } = await documents.read(KEY)
  return text === null ? null : sealer.sealedUnder(parsed(logKey, text).sealed)
}

/**
 * Seals the log's key anew if it is sealed under the previous deployment key; returns how many that were.
 * @throws {BrokerError} as `LogStates.signer`
 */
export async function sealLogKeyAnew({ documents, sealer }: LogKeyParts): Promise<number> {
  const { version, text } = await documents.read(KEY)
  if (text === null) return 0
  const key = parsed(logKey, text)
  const sealed = await sealedAnew(key.sealed, placeOf(key), sealer)
  // When another broker was first, it has sealed it anew.
  return sealed !== null && (await documents.replace(KEY, version, JSON.stringify({ ...key, sealed }))) ? 1 : 0
}

export type LogKeyParts = Pick<LogStateParts, "documents" | "sealer">

const placeOf = ({ birth }: Pick<LogState, "birth">) => ({ kind: "log-key", unit: "-", id: birth }) as const

export const rootOf = (state: LogState): Uint8Array => hexToBytes(state.root)

function parsed<Value>(schema: z.ZodType<Value>, text: string): Value {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    throw new BrokerError(
      "configuration_invalid",
      "The stored state of the log of heads has another form than this version writes. Restore the broker's storage from a backup.",
    )
  }
}
