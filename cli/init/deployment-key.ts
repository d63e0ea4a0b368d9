import { existsSync, realpathSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { basename, dirname, isAbsolute, join, resolve } from "node:path"
import { readKek } from "../../broker/config/keys.ts"
import { Secret } from "../../broker/core/secret.ts"
import { reasonOf } from "../arguments.ts"
import type { CliIo } from "../io.ts"
import { Refusal } from "./refusal.ts"

/** 32 random bytes in base64: what `DAYPASS_KEK` takes. */
export function newKey(): Secret<string> {
  return new Secret(Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64"))
}

/** Where a key's file is by default: the person's own settings, which are in no repository. */
export function defaultKeyFile(url: string, { env }: Pick<CliIo, "env">): string {
  const { XDG_CONFIG_HOME: config = "", HOME: home = homedir() } = env
  const { host } = new URL(url)
  return join(
    isAbsolute(config) ? config : join(home, ".config"),
    "daypass",
    `${host.replace(/[^a-z0-9.-]/g, "-")}.kek`,
  )
}

/**
 * The key in a file of one line, `DAYPASS_KEK=...`, as systemd's `EnvironmentFile` and `docker run --env-file` read it. Makes
 * the file, for its owner alone, if there is none. A file that exists is never changed: the key in it may be in use.
 * @throws {Refusal} for a file in a repository, one that others can read, or one that holds something else
 */
export async function keyInFile(
  path: string,
  io: CliIo,
): Promise<{ readonly key: Secret<string>; readonly made: boolean }> {
  const file = resolve(io.cwd, path)
  const repository = repositoryOf(file, io.cwd)
  if (repository !== null)
    throw new Refusal(
      `${path} is in ${repository}, and the key must never get into a repository: name a file elsewhere`,
    )
  if (!existsSync(file)) {
    const key = newKey()
    try {
      await io.createFile(file, `DAYPASS_KEK=${key.reveal()}\n`, { secret: true })
    } catch (error) {
      throw new Refusal(`the key's file ${path} cannot be written (${reasonOf(error)}): name another one`)
    }
    return { key, made: true }
  }
  return { key: await readKeyFile(file, io), made: false }
}

/** @throws {Refusal} */
async function readKeyFile(file: string, io: CliIo): Promise<Secret<string>> {
  let text: string
  try {
    if ((statSync(file).mode & 0o077) !== 0 && process.platform !== "win32")
      throw new Refusal(
        `others can read the key's file ${file}: run chmod 600 ${file}. If others may have read it, delete it before anything uses the key`,
      )
    text = new TextDecoder().decode(await io.readFile(file))
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(`the key's file ${file} cannot be read (${reasonOf(error)})`)
  }
  const [, key = ""] = /^DAYPASS_KEK=(\S+)\n?$/.exec(text) ?? []
  if (key === "" || readKek({ DAYPASS_KEK: key }, "DAYPASS_KEK", () => {}) === undefined)
    throw new Refusal(
      `${file} exists, and is not one line DAYPASS_KEK=... with 32 bytes in base64. Name another file: init never overwrites one`,
    )
  return new Secret(key)
}

/**
 * The repository, or the folder in which init works and which will be one, that a file would be in; null when there is none.
 * Links are followed: what counts is where the bytes are.
 */
function repositoryOf(file: string, cwd: string): string | null {
  const real = realOf(file)
  const here = realOf(cwd)
  if (real === here || real.startsWith(`${here}/`)) return here
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return folder
    if (folder === dirname(folder)) return null
  }
}

/** The path without links, also of a file that does not exist yet. */
function realOf(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  return path === dirname(path) ? path : join(realOf(dirname(path)), basename(path))
}
