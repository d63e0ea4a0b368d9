import { BrokerError } from "../core/errors.ts"
import { Secret } from "../core/secret.ts"
import { base64Of, textOfUtf8 } from "./bytes.ts"
import type { OtherSide } from "./call.ts"
import type { MintedValue } from "./provider.ts"
import type { Wanted } from "./read-grant.ts"

/** What a store has for a locator. */
export interface StoredValue {
  readonly value: Secret<string> | Secret<Uint8Array>
  /** The store says that everybody may see it. */
  readonly isPublic?: boolean
}

/** The largest value that is handed over, in bytes. */
const MAX_VALUE_BYTES = 64 * 1024

/**
 * What the job gets for a stored value, if it can be handed over as the grant wants it.
 *
 * @throws {BrokerError} `secret_unusable`: it is too large, empty, binary where text is meant, or no variable could hold it
 */
export function delivered(side: OtherSide, wanted: Wanted, { value, isPublic = false }: StoredValue): MintedValue {
  const { variable: env, file, locator, allowEmpty } = wanted
  const raw = value.reveal()
  const bytes = typeof raw === "string" ? new TextEncoder().encode(raw) : raw
  const unusable = (why: string) => secretUnusable(side, locator, why)
  if (bytes.byteLength > MAX_VALUE_BYTES) throw unusable(`is larger than ${MAX_VALUE_BYTES / 1024} KiB`)
  if (bytes.byteLength === 0 && !allowEmpty) throw unusable("is empty, and the grant does not say allow_empty: true")
  const text = typeof raw === "string" ? raw : textOf(raw)
  const said = (content: string) => (isPublic ? content : new Secret(content))
  if (file !== null) {
    if (text !== null) return { value: said(text), env, file }
    return { value: said(base64Of(bytes)), env, file: { ...file, encoding: "base64" } }
  }
  if (text === null) throw unusable("is binary: let it arrive as a file, with as: file")
  if (!text.isWellFormed()) throw unusable("is no text in Unicode")
  if (/[\0\r]/.test(text)) {
    throw unusable(
      "has a NUL or a carriage return, which no variable carries unharmed: let it arrive as a file, with as: file",
    )
  }
  return { value: said(text), env }
}

/** A locator that names nothing: the secret, the version or the field is not there, or not for this connection. */
export const secretNotFound = (side: OtherSide, locator: string, why: string): BrokerError =>
  new BrokerError(
    "secret_not_found",
    `${side.name}, connection ${side.connection}: ${locator} ${why}. Nothing was handed out.`,
  )

/** Something is there, and cannot be handed over as the grant wants it. Says nothing of what it is. */
export const secretUnusable = (side: OtherSide, locator: string, why: string): BrokerError =>
  new BrokerError(
    "secret_unusable",
    `${side.name}, connection ${side.connection}: ${locator} ${why}. Nothing was handed out.`,
  )

/** Null for what is binary, as files with a NUL are. */
function textOf(bytes: Uint8Array): string | null {
  const text = textOfUtf8(bytes)
  return text?.includes("\0") ? null : text
}
