import { join } from "node:path"
import type { Credential, Value } from "../answer.ts"
import { deliveryRefused } from "../failure.ts"

/** A file for later steps. */
export interface PlannedFile {
  readonly path: string
  readonly bytes: Buffer
  /** The permission bits of `chmod`. */
  readonly mode: number
}

/** A file that its owner alone can read and write. */
export const ownerFile = (path: string, text: string): PlannedFile => ({ path, bytes: Buffer.from(text), mode: 0o600 })

export interface FilePlan {
  readonly files: readonly PlannedFile[]
  /** The credentials. Each value that becomes a file is replaced by the file's path. */
  readonly credentials: readonly Credential[]
}

/**
 * Checks the files for these credentials and returns them: `folder/GRANT/VALUE`. Writes none.
 * @throws {ActionError} `delivery_refused` for two values with the same path, and for invalid base64
 */
export function planFiles(credentials: readonly Credential[], folder: string): FilePlan {
  const files: PlannedFile[] = []
  const taken = new Set<string>()
  const placed = credentials.map((credential): Credential => {
    const values = credential.values.map((value): Value => {
      if (value.file === undefined) return value
      const path = join(folder, credential.grant, value.name)
      // On Windows and macOS, Key and key are the same file.
      if (taken.has(path.toLowerCase()))
        throw deliveryRefused(`Two values have the same file path: ${credential.grant}/${value.name}.`)
      taken.add(path.toLowerCase())
      files.push({ path, bytes: bytesOf(value, credential.grant), mode: Number.parseInt(value.file.mode, 8) })
      return { ...value, value: path, secret: false }
    })
    return { ...credential, values }
  })
  return { files, credentials: placed }
}

function bytesOf({ name, value, file }: Value, grant: string): Buffer {
  if (file?.encoding === undefined) return Buffer.from(value, "utf8")
  const bytes = Buffer.from(value, "base64")
  if (bytes.toString("base64") !== value) throw deliveryRefused(`The value ${name} of ${grant} is not valid base64.`)
  return bytes
}
