import type { Position } from "../../core/policy/faults.ts"
import type { FileFault } from "../../core/policy/provider-schemas.ts"

export const unusable = ({ line, column }: Position, message: string): FileFault => ({
  line,
  column,
  code: "secrets_unusable",
  message,
})

const WITH_SOPS = "Encrypt it with sops, and change it only with sops"

/**
 * Why a file cannot be read, and the remedy. In our own words: a parser's messages quote the text, which may be an
 * unencrypted secret, and checks of pull requests print them.
 */
const WHY = {
  size: ["it has more than 64 KiB", "Split it into several files, each encrypted with sops"],
  empty: ["it is empty", WITH_SOPS],
  utf8: ["it is not UTF-8", WITH_SOPS],
  form: ["it does not have the form that SOPS writes", WITH_SOPS],
  documents: [
    "a second YAML document begins here, and their values would have the same names",
    "Put each document into its own file, encrypted with sops",
  ],
  merge: [
    "this is a merge key (<<), and YAML's parsers differ in what it does",
    "Decrypt the file with sops, write the merged keys out, and encrypt it again",
  ],
  tag: [
    "there is a YAML tag, such as !!binary",
    "Decrypt the file with sops, write the value without a tag, and encrypt it again",
  ],
  alias: ["there is an anchor or an alias, which sops replaces when it encrypts", WITH_SOPS],
  directive: ["there is a YAML directive (%), which sops never writes", WITH_SOPS],
  separator: [
    "there is a line separator (U+0085, U+2028 or U+2029), which ends a line for sops, but not in YAML 1.2",
    "Remove it with sops edit",
  ],
  depth: ["its maps and lists are nested more than 64 levels deep", "Make it flatter, and encrypt it with sops"],
  key: ["this key is not a text, and SOPS has no other keys", "Write the key in quotes before sops encrypts the file"],
  duplicate: [
    "this key is duplicated in its map",
    "Remove one of the two with sops edit, so that it is clear which value counts",
  ],
} as const

export function unreadable(at: Position, why: keyof typeof WHY): FileFault {
  const [reason, remedy] = WHY[why]
  return unusable(at, `This secrets file cannot be read: ${reason}. ${remedy}.`)
}
