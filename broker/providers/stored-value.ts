import { BrokerError } from "../core/errors.ts"
import { Secret } from "../core/secret.ts"
import { textOfUtf8 } from "../core/utf8.ts"
import { loginValueFault } from "../wire/tool-login.ts"
import { base64Of } from "./bytes.ts"
import type { OtherSide } from "./call.ts"
import type { MintedValue } from "./provider.ts"
import type { Wanted } from "./read-grant.ts"

/** The value that a store returns for a locator. */
export interface StoredValue {
  readonly value: Secret<string> | Secret<Uint8Array>
  /** The store declares the value as public. */
  readonly isPublic?: boolean
  /** The version that the store names in its answer. Never the value's own text, nor made of it. */
  readonly version?: string
  /** The public name of the key that decrypted it, where it was in an encrypted file. */
  readonly openedBy?: string
}

/** The version of a value that others are a part of. */
export const versionOf = (stored: Pick<StoredValue, "version"> | undefined): Pick<StoredValue, "version"> =>
  stored?.version === undefined ? {} : { version: stored.version }

/** The largest value that is delivered, in bytes. */
const MAX_VALUE_BYTES = 64 * 1024

/**
 * The value for the job, if it can be delivered in the form that the grant names.
 *
 * @throws {BrokerError} `secret_unusable`: the value is too large, empty, binary where text is expected, or not possible in
 *   a variable or a login
 */
export function delivered(side: OtherSide, wanted: Wanted, { value, isPublic = false }: StoredValue): MintedValue {
  const { variable: env, file, login, locator, allowEmpty } = wanted
  const raw = value.reveal()
  const bytes = typeof raw === "string" ? new TextEncoder().encode(raw) : raw
  const unusable = (why: string) => secretUnusable(side, locator, why)
  if (bytes.byteLength > MAX_VALUE_BYTES) throw unusable(`is larger than ${MAX_VALUE_BYTES / 1024} KiB`)
  if (bytes.byteLength === 0 && !allowEmpty)
    throw unusable("is empty: set a value, or add allow_empty: true to the grant")
  const text = typeof raw === "string" ? raw : textOf(raw)
  const said = (content: string) => (isPublic || wanted.isPublic ? content : new Secret(content))
  if (login !== null) {
    if (text === null) throw unusable(`is binary, so that ${login.tool} cannot log in with it`)
    const fault = loginValueFault(login.tool, text)
    if (fault !== null) throw unusable(fault)
    return { value: new Secret(text), logins: [login] }
  }
  if (file !== null) {
    if (text !== null) return { value: said(text), env, file }
    return { value: said(base64Of(bytes)), env, file: { ...file, encoding: "base64" } }
  }
  if (text === null) throw unusable("is binary: deliver it as a file, with as: file in read")
  if (!text.isWellFormed()) throw unusable("is not valid Unicode text")
  if (/[\0\r]/.test(text)) {
    throw unusable(
      "has a NUL or a carriage return, which a variable cannot hold unchanged: deliver it as a file, with as: file in read",
    )
  }
  return { value: said(text), env }
}

/** A locator without a value: the secret, version or field does not exist, or this connection must not see it. */
export const secretNotFound = (side: OtherSide, locator: string, why: string): BrokerError =>
  new BrokerError(
    "secret_not_found",
    `${side.name}, connection ${side.connection}: ${locator} ${why}. Nothing was handed out.`,
  )

/** The value exists, but cannot be delivered in the form that the grant names. The error reveals nothing of the value. */
export const secretUnusable = (side: OtherSide, locator: string, why: string): BrokerError =>
  new BrokerError(
    "secret_unusable",
    `${side.name}, connection ${side.connection}: ${locator} ${why}. Nothing was handed out.`,
  )

/** Null when the bytes are binary. Text with a NUL counts as binary. */
function textOf(bytes: Uint8Array): string | null {
  const text = textOfUtf8(bytes)
  return text?.includes("\0") ? null : text
}
