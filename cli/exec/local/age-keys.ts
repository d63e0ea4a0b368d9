import { homedir } from "node:os"
import { posix, win32 } from "node:path"
import { Secret } from "../../../broker/core/secret.ts"
import { ageKeyOf } from "../../../broker/providers/sops/age.ts"
import { reasonOf } from "../../arguments.ts"
import type { CliIo } from "../../io.ts"
import { isSet } from "../sources/source.ts"
import { noToken } from "../sources/token-text.ts"

const KEY = "SOPS_AGE_KEY"
const KEY_FILE = "SOPS_AGE_KEY_FILE"
const KEY_COMMAND = "SOPS_AGE_KEY_CMD"

/** The variables with which SOPS finds its keys. A command that Daypass runs does not get them. */
export const KEY_VARIABLES = [KEY, KEY_FILE, KEY_COMMAND] as const

export interface AgeKeys {
  /** The private halves, `AGE-SECRET-KEY-1...` and `AGE-SECRET-KEY-PQ-1...`. */
  readonly identities: Secret<readonly string[]>
  /** The public half of the first X25519 key: who the person is. */
  readonly person: string
}

type Place = Pick<CliIo, "env" | "readFile"> & { readonly platform?: NodeJS.Platform }

/**
 * The person's age keys, from where SOPS takes them: `SOPS_AGE_KEY`, the file in `SOPS_AGE_KEY_FILE`, and `keys.txt` in the
 * folder for settings. Keys of other kinds, such as those of plugins, are left out: they cannot be used here.
 *
 * Source: getsops.io/docs/usage/identities/age. It gives no order; here the first key is the person's.
 * @throws {ActionError} `id_token_unavailable`, which quotes nothing of what was read
 */
export async function findAgeKeys(place: Place): Promise<AgeKeys> {
  const usual = usualFile(place)
  const texts = [
    { where: `the variable ${KEY}`, text: place.env[KEY] ?? "" },
    ...(isSet(place.env, KEY_FILE) ? [await readKeys(place.env[KEY_FILE] ?? "", place, `set ${KEY_FILE} to`)] : []),
    ...(await readUsual(usual, place)),
  ]
  const identities: string[] = []
  let person: string | null = null
  for (const { where, text } of texts) {
    for (const identity of identitiesIn(text)) {
      const key = await ageKeyOf(identity)
      if (key === null) throw noToken(`There is an age key in ${where} that is damaged.`, `Correct it, or remove it.`)
      if (isShort(key.recipient)) person ??= key.recipient
      if (!identities.includes(identity)) identities.push(identity)
    }
  }
  if (person === null) throw noKey(usual, place)
  return { identities: new Secret(identities), person }
}

/** A policy names a person by a recipient of 62 characters. A post-quantum one has 1,959. */
const isShort = (recipient: string) => !recipient.startsWith("age1pq1")

/** The parts of a key file that are keys of age, post-quantum ones too. Lines that begin with # are comments. */
function identitiesIn(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("#"))
    .flatMap((line) => line.split(/\s+/))
    .filter((part) => /^AGE-SECRET-KEY-(?:PQ-)?1/.test(part))
}

async function readKeys(path: string, { readFile }: Place, change: string) {
  try {
    return { where: path, text: Buffer.from(await readFile(path)).toString("utf8") }
  } catch (error) {
    throw noToken(
      `The file with age keys, ${path}, cannot be read (${reasonOf(error)}).`,
      `Let this user read it, or ${change} another file.`,
    )
  }
}

async function readUsual(path: string, place: Place) {
  try {
    return [{ where: path, text: Buffer.from(await place.readFile(path)).toString("utf8") }]
  } catch (error) {
    // SOPS continues without this file, and a person may keep the key elsewhere.
    if (["ENOENT", "ENOTDIR"].includes(reasonOf(error))) return []
    return [await readKeys(path, place, "keep your keys in")]
  }
}

/** `keys.txt` in the folder for a person's settings, as SOPS looks for it on each system. */
function usualFile({ env, platform = process.platform }: Place): string {
  if (platform === "win32") {
    const home = env["USERPROFILE"] || homedir()
    return win32.join(env["APPDATA"] || win32.join(home, "AppData", "Roaming"), "sops", "age", "keys.txt")
  }
  const home = env["HOME"] || homedir()
  const usual = platform === "darwin" ? ["Library", "Application Support"] : [".config"]
  return posix.join(env["XDG_CONFIG_HOME"] || posix.join(home, ...usual), "sops", "age", "keys.txt")
}

function noKey(usual: string, { env }: Place) {
  const command = isSet(env, KEY_COMMAND) ? ` ${KEY_COMMAND} is not run here: set ${KEY} to what it prints.` : ""
  return noToken(
    `There is no age key in ${KEY}, in the file that ${KEY_FILE} names, or in ${usual}. Keys with a passphrase, keys of plugins and SSH keys cannot be used, and post-quantum keys only beside an X25519 key, by which the policy knows you.`,
    `Make a key with age-keygen, and let a colleague add its public half to .sops.yaml and to the policy.${command}`,
  )
}
