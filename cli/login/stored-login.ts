import { chmodSync, closeSync, fstatSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, posix, win32 } from "node:path"
import type { JWK } from "jose"
import * as z from "zod"
import { openRegular, replaceFile } from "../../action/disk/safe-file.ts"
import type { Claims } from "../../broker/core/identity.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { parseCompactJws } from "../../broker/issuers/compact-jws.ts"
import type { CliIo } from "../io.ts"
import { expiryOf } from "../subject-token.ts"

/** A person who is signed in. The token is a credential and is never printed. */
export interface StoredLogin {
  /** The issuer's URL. */
  readonly issuer: string
  readonly clientId: string
  /** The broker that named the provider; null when it was named by hand. */
  readonly broker: string | null
  /** The ID token: the subject token of every exchange of this login. */
  readonly token: string
  /** The private key that proves that an exchange comes from this login, a P-256 JWK. It is as old as the login. */
  readonly key: JWK
}

/** A stored login, with what its token says. */
export interface ReadLogin extends StoredLogin {
  readonly claims: Claims
  readonly expiresAt: Date
}

/** What finding the file takes of the world. */
export type LoginPlace = Pick<CliIo, "env" | "now"> & { readonly platform?: NodeJS.Platform }

const MAX_FILE_BYTES = 64 * 1024

const fileSchema = z.strictObject({
  version: z.literal(1),
  issuer: z.string(),
  client_id: z.string(),
  broker: z.string().nullable(),
  token: z.string(),
  key: z.record(z.string(), z.union([z.string(), z.boolean(), z.array(z.string())])),
})

/**
 * Where Daypass keeps what is a person's: below `$XDG_STATE_HOME` or `~/.local/state`, on Windows below `%LOCALAPPDATA%`,
 * which only the person can read, like everything in the person's profile.
 */
export function stateFolder({ env, platform = process.platform }: Omit<LoginPlace, "now">): string {
  const { join, isAbsolute } = platform === "win32" ? win32 : posix
  const home = (platform === "win32" ? env["USERPROFILE"] : env["HOME"]) || homedir()
  const [named, usual] =
    platform === "win32"
      ? [env["LOCALAPPDATA"], join(home, "AppData", "Local")]
      : [env["XDG_STATE_HOME"], join(home, ".local", "state")]
  return join(named !== undefined && isAbsolute(named) ? named : usual, "daypass")
}

/** The one file that a login leaves. */
export function loginFile(place: LoginPlace): string {
  const { join } = (place.platform ?? process.platform) === "win32" ? win32 : posix
  return join(stateFolder(place), "login.json")
}

/** Keeps a login for its person alone: mode 0600 in a folder of mode 0700. Never keeps a refresh token. */
export function keepLogin(login: StoredLogin, place: LoginPlace): string {
  const file = loginFile(place)
  const folder = dirname(file)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // A folder from before may be open to others. On Windows, modes mean nothing.
  if (isOthers(folder)) chmodSync(folder, 0o700)
  const { issuer, clientId: client_id, broker, token, key } = login
  replaceFile(file, `${JSON.stringify({ version: 1, issuer, client_id, broker, token, key })}\n`)
  return file
}

const isOthers = (folder: string) => process.platform !== "win32" && (statSync(folder).mode & 0o077) !== 0

/** Deletes the login. Resolves to whether there was one. */
export function forgetLogin(place: LoginPlace): boolean {
  const file = loginFile(place)
  const there = statSync(file, { throwIfNoEntry: false }) !== undefined
  rmSync(file, { force: true })
  return there
}

/**
 * The login of this person, as long as its token lives: an expired one is deleted. The fault is a sentence that says what to
 * run, and is never the file's text.
 */
export function storedLogin(place: LoginPlace): Result<ReadLogin, string> {
  const file = loginFile(place)
  const text = readPrivate(file)
  if (!text.ok) return text
  const login = parsed(text.value)
  const jws = login === null ? null : parseCompactJws(login.token)
  const expiresAt = jws?.ok ? expiryOf(jws.value.payload) : null
  if (login === null || !jws?.ok || expiresAt === null) {
    return fail(`the file ${file} is not one that daypass login wrote: run daypass logout, then daypass login`)
  }
  if (expiresAt <= place.now()) {
    rmSync(file, { force: true })
    return fail(`your login ended at ${expiresAt.toISOString()}: run daypass login again`)
  }
  return ok({ ...login, claims: jws.value.payload, expiresAt })
}

/** Reads a file that belongs to this account and that no other can read. A link in its place is not followed. */
function readPrivate(file: string): Result<string, string> {
  let descriptor: number
  try {
    descriptor = openRegular(file).descriptor
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT" || code === "ENOTDIR") return fail("you are not signed in: run daypass login")
    return fail(`the file ${file} cannot be read (${code ?? "it is no regular file"}): delete it and run daypass login`)
  }
  try {
    const { uid, mode, size } = fstatSync(descriptor)
    const isPrivate = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0)
    if (!isPrivate) {
      return fail(`other accounts can read or write ${file}: delete it, and run daypass login again`)
    }
    return ok(size > MAX_FILE_BYTES ? "" : readFileSync(descriptor, "utf8"))
  } finally {
    closeSync(descriptor)
  }
}

function parsed(text: string): StoredLogin | null {
  try {
    const { success, data } = fileSchema.safeParse(JSON.parse(text))
    if (!success) return null
    const { issuer, client_id: clientId, broker, token, key } = data
    return { issuer, clientId, broker, token, key: key as JWK }
  } catch {
    return null
  }
}
