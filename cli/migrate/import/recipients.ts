import { existsSync, readFileSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import { parse } from "yaml"
import * as z from "zod"
import { fail, ok, type Result } from "../../../broker/core/result.ts"
import { RECIPIENT } from "./sops-file.ts"

const SETTINGS = ".sops.yaml"

const RULES = z.object({
  creation_rules: z.array(
    z.looseObject({ path_regex: z.string().optional(), age: z.union([z.string(), z.array(z.string())]).optional() }),
  ),
})
/** Keys of a rule that this command cannot encrypt for, or that change which values are encrypted. */
const OTHER_KEYS = [
  "kms",
  "pgp",
  "gcp_kms",
  "azure_keyvault",
  "hc_vault_transit_uri",
  "key_groups",
  "shamir_threshold",
  "unencrypted_suffix",
  "encrypted_suffix",
  "unencrypted_regex",
  "encrypted_regex",
  "unencrypted_comment_regex",
  "encrypted_comment_regex",
  "mac_only_encrypted",
]

/** The recipients for a new file: those of `--age`, or of the first rule of `.sops.yaml` that fits, as SOPS itself chooses. */
export function recipientsFor(path: string, given: string | undefined): Result<readonly string[], string> {
  if (given !== undefined) return checked(given.split(","), "--age")
  const found = settingsAbove(dirname(path))
  if (found === null)
    return fail("there is no .sops.yaml above the file: name the public key with --age, as age-keygen -y prints it")
  const folder = dirname(found)
  let rules: z.infer<typeof RULES>
  try {
    rules = RULES.parse(parse(readFileSync(found, "utf8"), { maxAliasCount: 0 }))
  } catch {
    return fail(`${found} has no list creation_rules that can be read: name the public key with --age`)
  }
  const own = relative(folder, path).split(sep).join("/")
  for (const rule of rules.creation_rules) {
    const fits = rule.path_regex === undefined ? true : matches(rule.path_regex, own)
    if (fits === null) return fail(`${found} has a path_regex that cannot be read: name the public key with --age`)
    if (!fits) continue
    const other = OTHER_KEYS.find((key) => rule[key] !== undefined)
    if (other !== undefined)
      return fail(
        `the rule of ${found} for this file has ${other}, which this command cannot follow: make the file with sops edit`,
      )
    return checked(
      [rule.age ?? []].flat().flatMap((text) => text.split(",")),
      found,
    )
  }
  return fail(`${found} has no rule for this file: add one, or name the public key with --age`)
}

function matches(pattern: string, path: string): boolean | null {
  try {
    return new RegExp(pattern).test(path)
  } catch {
    return null
  }
}

function checked(texts: readonly string[], where: string): Result<readonly string[], string> {
  const recipients = texts.map((text) => text.trim()).filter((text) => text !== "")
  if (recipients.length === 0) return fail(`${where} names no public key of age`)
  if (recipients.some((one) => one.toUpperCase().startsWith("AGE-SECRET-KEY")))
    return fail(
      `${where} has a private key. Name the public one, as age-keygen -y prints it. If others can read the private one, replace it`,
    )
  return recipients.every((one) => RECIPIENT.test(one))
    ? ok(recipients)
    : fail(`${where} has something else than public keys of age (age1...)`)
}

function settingsAbove(folder: string): string | null {
  const path = join(folder, SETTINGS)
  if (existsSync(path)) return path
  const above = dirname(folder)
  return above === folder ? null : settingsAbove(above)
}
