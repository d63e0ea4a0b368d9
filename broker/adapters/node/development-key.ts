import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Secret } from "../../core/secret.ts"

const FILE = "development.kek"
const KEY_BYTES = 32

/**
 * The key of a broker that serves this machine only: made once, kept in the data folder for its owner alone.
 *
 * It stands beside what it seals, so it protects nothing from a reader of that folder. A broker with a public URL never
 * gets here.
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
    throw new Error(`${file} is not a key of ${KEY_BYTES} bytes; delete the data folder and start again`)
  return new Secret(new Uint8Array(key))
}
