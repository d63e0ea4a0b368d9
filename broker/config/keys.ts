import { Secret } from "../core/secret.ts"
import type { Report } from "./settings.ts"

type Environment = Readonly<Record<string, unknown>>

const KEK_BYTES = 32
const REMEDY_KEK = "must be 32 random bytes in base64; make them with: openssl rand -base64 32"

export function readKek(env: Environment, name: string, fault: Report): Secret<Uint8Array> | undefined {
  const value = env[name]
  if (value === undefined || value === "") return undefined
  const text = typeof value === "string" ? value.trim() : ""
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) {
    fault(name, REMEDY_KEK)
    return undefined
  }
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/").replace(/=$/, "")), (char) =>
    char.charCodeAt(0),
  )
  if (bytes.length !== KEK_BYTES || new Set(bytes).size < 8) {
    fault(name, REMEDY_KEK)
    return undefined
  }
  return new Secret(bytes)
}

export function readPreviousKek(
  env: Environment,
  kek: Secret<Uint8Array> | undefined,
  fault: Report,
): Secret<Uint8Array> | undefined {
  const name = "DAYPASS_KEK_PREVIOUS"
  const previous = readKek(env, name, fault)
  if (previous === undefined) return undefined
  if (kek === undefined) {
    if ((env["DAYPASS_KEK"] ?? "") === "") fault(name, "needs DAYPASS_KEK beside it: the new key")
  } else if (previous.reveal().every((byte, index) => byte === kek.reveal()[index])) {
    // Else an operator would believe that the key was changed.
    fault(name, "is the same key as DAYPASS_KEK: make a new one for DAYPASS_KEK with: openssl rand -base64 32")
  }
  return previous
}

const ROTATE_EVERY_HOURS = { least: 7 * 24, most: 365 * 24 }

/** Whole hours. `parseDuration` is for lifetimes of at most 30 days. */
export function readRotateEvery(value: unknown, fault: Report): number | undefined {
  if (value === undefined || value === "") return undefined
  const { least, most } = ROTATE_EVERY_HOURS
  const hours = typeof value === "string" && /^[1-9][0-9]{0,4}h$/.test(value) ? Number(value.slice(0, -1)) : 0
  if (hours >= least && hours <= most) return hours * 3600
  fault("DAYPASS_ROTATE_EVERY", `must be whole hours from ${least}h (7 days) to ${most}h (a year): 2160h are 90 days`)
  return undefined
}
