import { basename } from "node:path"
import { parse as parseDotenv } from "dotenv"
import { fail, ok, type Result } from "../../../broker/core/result.ts"
import { textOfUtf8 } from "../../../broker/core/utf8.ts"
import { keyFault, type Values } from "./sops-file.ts"

/** What git-crypt puts before an encrypted file. */
const GIT_CRYPT = Buffer.from("\0GITCRYPT\0")
const MAX_BYTES = 48 * 1024

/**
 * The values of a file: the variables of a dotenv file, and any other file as one value under its own name. The fault is a
 * sentence and names no value.
 */
export function valuesOf(path: string, bytes: Uint8Array): Result<Values, string> {
  if (isLocked(bytes)) return fail(`${path} is locked by git-crypt: run git-crypt unlock, and try again`)
  // A secrets file of the policy folder has at most 64 KiB, and encryption makes it a third longer.
  if (bytes.byteLength > MAX_BYTES) return fail(`${path} is larger than 48 KiB, which no secrets file can hold`)
  const text = textOfUtf8(bytes)
  if (text === null) return fail(`${path} is not text in UTF-8: encrypt it with sops encrypt --input-type binary`)
  const values: Values = isDotenv(path) ? Object.entries(parseDotenv(text)) : [[basename(path), text]]
  if (values.length === 0) return fail(`${path} has no variables`)
  for (const [key] of values) {
    const fault = keyFault(key)
    if (fault !== null) return fail(`${path} has the name ${JSON.stringify(key)}, which ${fault}: rename it`)
  }
  return ok(values)
}

/**
 * Variables whose values end before a `#` that is not in quotes. dotenv takes the rest for a comment, and other readers of such files
 * do not: a password would be cut short without a word.
 */
export function cutAtHash(path: string, bytes: Uint8Array): readonly string[] {
  if (!isDotenv(path)) return []
  const lines = (textOfUtf8(bytes) ?? "").matchAll(
    /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*[=:][ \t]*(?!["'`])[^\s#][^#\r\n]*(?<![ \t])#/gm,
  )
  return [...lines].flatMap(([, name]) => name ?? [])
}

export const isLocked = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, GIT_CRYPT.length)).equals(GIT_CRYPT)

/** By the name: `.env`, `.env.production`, `settings.env`. */
const isDotenv = (path: string) => /^\.env(?:\..+)?$|\.env$/.test(basename(path))
