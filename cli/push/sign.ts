import { createPrivateKey, type KeyObject, sign } from "node:crypto"
import { type PublishedCurrent, signedText } from "../../broker/core/policy/published.ts"
import type { CliIo } from "../io.ts"

/** The variable for workflows, where a secret is a variable and not a file. */
export const SIGNING_KEY_VARIABLE = "DAYPASS_PUBLISHER_KEY"

export type SignCurrent = (current: PublishedCurrent) => PublishedCurrent

/**
 * How a push signs `current`: with the key in a file (`--sign`), otherwise with the one in the environment, otherwise not
 * at all. The key is an Ed25519 private key as PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` makes it.
 *
 * @returns a sentence when the key cannot be used; it repeats nothing of the key
 */
export async function signerFor(
  file: string | undefined,
  { env, readFile }: Pick<CliIo, "env" | "readFile">,
): Promise<SignCurrent | string> {
  const place = file ?? SIGNING_KEY_VARIABLE
  const fromVariable = env[SIGNING_KEY_VARIABLE] ?? ""
  if (file === undefined && fromVariable.trim() === "") return UNSIGNED
  let pem = fromVariable
  try {
    if (file !== undefined) pem = Buffer.from(await readFile(file)).toString("utf8")
  } catch {
    return `${place} cannot be read`
  }
  const key = keyFrom(pem)
  if (key === null)
    return `${place} is not an Ed25519 private key as PEM: make one with openssl genpkey -algorithm ed25519`
  return (current) => ({
    ...current,
    signature: sign(null, Buffer.from(signedText(current)), key).toString("base64url"),
  })
}

const UNSIGNED: SignCurrent = (current) => current

function keyFrom(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem)
    return key.asymmetricKeyType === "ed25519" ? key : null
  } catch {
    return null
  }
}
