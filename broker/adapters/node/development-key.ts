import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Secret } from "../../core/secret.ts"

const FILE = "development.kek"
const KEY_BYTES = 32

/**
 * The key of a broker that serves only this machine. It is made once, and stored in the data folder, readable only by its
 * owner.
 *
 * The key is stored beside the values that it seals, so it does not protect them from a reader of that folder. A broker
 * with a public URL never uses it.
 */
export function developmentKey(folder: string): Secret<Uint8Array> {
  const file = join(folder, FILE)
  try {
    writeFileSync(file, randomBytes(KEY_BYTES), { flag: "wx", mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  const key = readFileSync(file)
  if (key.length !== KEY_BYTES)
    throw new Error(`${file} must be a key of ${KEY_BYTES} bytes; delete the data folder and start again`)
  return new Secret(new Uint8Array(key))
}
