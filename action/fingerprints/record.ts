import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import {
  deriveKeys,
  MAX_PATTERN_BYTES,
  MIN_PATTERN_BYTES,
  patternMac,
  type RecordKeys,
  SALT_BYTES,
  valueMac,
  windowHash,
  windowOf,
} from "./keys.ts"

/** A secret value that a step issued, without the value. */
export interface IssuedValue {
  readonly grant: string
  readonly name: string
  /** The variable that the step set to it, and the fingerprint of the variable's text. */
  readonly env?: string
  readonly whole?: string
}

/** One text to look for: a value, or an encoding of it. */
export interface Pattern {
  /** An index of `values`. */
  readonly value: number
  /** In bytes, `MIN_PATTERN_BYTES` to `MAX_PATTERN_BYTES`. */
  readonly length: number
  /** The rolling hash of its first `windowOf(length)` bytes, as a signed 32-bit number. */
  readonly hash: number
  /** `patternMac` of all its bytes. */
  readonly mac: string
}

export interface IssuedRecord {
  /** When the step started: milliseconds since 1970. What was not written since then cannot contain its values. */
  readonly since: number
  readonly values: readonly IssuedValue[]
  readonly patterns: readonly Pattern[]
}

/** A record with the keys that its patterns were made with. */
export interface OpenRecord extends IssuedRecord {
  readonly keys: RecordKeys
}

/** What the maker of a record knows of a value. `patterns` are the texts to look for; empty when only the variable counts. */
export interface ValueToRecord {
  readonly grant: string
  readonly name: string
  readonly variable?: { readonly name: string; readonly text: string }
  readonly patterns: readonly Uint8Array[]
}

/** Folders of records are `RUNNER_TEMP/daypass-UUID`, and their files match this: one more for each renewed session. */
export const RECORD_FILE = /^issued(?:-[1-9][0-9]{0,5})?\.json$/
export const MAX_RECORD_BYTES = 1024 * 1024
/** Of one folder. A command that runs for days has thousands of records, of a few kilobytes each. */
export const MAX_ALL_RECORDS_BYTES = 64 * 1024 * 1024
/** A step with more is searched for the first ones of each value; the value itself is the first. */
export const MAX_PATTERNS = 2_000

/** Makes the records of one step. All of them have the same keys, so that one pass over a file looks for all patterns. */
export class RecordMaker {
  readonly #salt = randomBytes(SALT_BYTES)
  readonly #keys: RecordKeys

  constructor(requestToken: string) {
    this.#keys = deriveKeys(requestToken, this.#salt)
  }

  /** A record as it is stored: JSON with the salt, and everything else encrypted. */
  make(values: readonly ValueToRecord[], since: number): string {
    const patterns = firstOfAll(values).map(([bytes, index]) => this.#pattern(bytes, index))
    const record: IssuedRecord = {
      since,
      values: values.map(({ grant, name, variable }) => ({
        grant,
        name,
        ...(variable && { env: variable.name, whole: valueMac(this.#keys, variable.text) }),
      })),
      patterns,
    }
    const nonce = randomBytes(12)
    const cipher = createCipheriv("aes-256-gcm", this.#keys.seal, nonce)
    const sealed = Buffer.concat([cipher.update(JSON.stringify(record), "utf8"), cipher.final(), cipher.getAuthTag()])
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url")
    return `${JSON.stringify({ version: 1, salt: text(this.#salt), nonce: text(nonce), sealed: text(sealed) })}\n`
  }

  #pattern(bytes: Uint8Array, value: number): Pattern {
    const start = bytes.subarray(0, MAX_PATTERN_BYTES)
    return {
      value,
      length: start.length,
      hash: windowHash(start, 0, windowOf(start.length), this.#keys.multiplier),
      mac: patternMac(this.#keys, start),
    }
  }
}

/**
 * The first text of each value with the value's index, then the second of each, and so on. In the order of the values, an item
 * with many members would leave no room for the values after it.
 */
function firstOfAll(values: readonly ValueToRecord[]): readonly (readonly [Uint8Array, number])[] {
  const most = Math.max(0, ...values.map(({ patterns }) => patterns.length))
  const found: [Uint8Array, number][] = []
  for (let at = 0; at < most && found.length < MAX_PATTERNS; at++) {
    for (const [index, { patterns }] of values.entries()) {
      const bytes = patterns[at]
      if (bytes !== undefined) found.push([bytes, index])
    }
  }
  return found.slice(0, MAX_PATTERNS)
}

/** Opens a stored record. Null when it was edited, or was made in another job. Never throws. */
export function openRecord(stored: Uint8Array, requestToken: string): OpenRecord | null {
  try {
    const { version, salt, nonce, sealed } = JSON.parse(Buffer.from(stored).toString("utf8"))
    const bytes = (text: unknown) => Buffer.from(typeof text === "string" ? text : "", "base64url")
    if (version !== 1 || bytes(salt).length !== SALT_BYTES || bytes(nonce).length !== 12) return null
    const keys = deriveKeys(requestToken, bytes(salt))
    const [body, tag] = [bytes(sealed).subarray(0, -16), bytes(sealed).subarray(-16)]
    const decipher = createDecipheriv("aes-256-gcm", keys.seal, bytes(nonce), { authTagLength: 16 })
    decipher.setAuthTag(tag)
    const record = JSON.parse(Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8"))
    return isRecord(record) ? { ...record, keys } : null
  } catch {
    return null
  }
}

/** Doubled check: what opens was written by a step of this job, but perhaps by another version of the action. */
function isRecord(record: IssuedRecord): boolean {
  const isText = (value: unknown) => typeof value === "string"
  const isOptional = (value: unknown) => value === undefined || isText(value)
  return (
    Number.isSafeInteger(record.since) &&
    record.values.every(
      ({ grant, name, env, whole }) => isText(grant) && isText(name) && isOptional(env) && isOptional(whole),
    ) &&
    record.patterns.length <= MAX_PATTERNS &&
    record.patterns.every(
      ({ value, length, hash, mac }) =>
        record.values[value] !== undefined &&
        Number.isSafeInteger(length) &&
        length >= MIN_PATTERN_BYTES &&
        length <= MAX_PATTERN_BYTES &&
        Number.isSafeInteger(hash) &&
        isText(mac),
    )
  )
}

/** Whether `text` is what the step set this variable to. */
export function isWhole(record: OpenRecord, value: IssuedValue, text: string): boolean {
  return value.whole !== undefined && value.whole === valueMac(record.keys, text)
}
