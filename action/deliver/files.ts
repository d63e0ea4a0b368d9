import { join } from "node:path"
import type { Credential, Value } from "../answer.ts"
import { ActionError } from "../failure.ts"

/** A file that a later step is to find. */
export interface PlannedFile {
  readonly path: string
  readonly bytes: Buffer
  /** As in `chmod`. */
  readonly mode: number
}

export interface FilePlan {
  readonly files: readonly PlannedFile[]
  /** The credentials with the path in place of each value that becomes a file. */
  readonly credentials: readonly Credential[]
}

/**
 * The files that these credentials become, below `folder`: one folder a grant, named as the value. Checked, none written.
 * @throws {ActionError} `delivery_refused` for two values that would be one file, and for base64 that is none
 */
export function planFiles(credentials: readonly Credential[], folder: string): FilePlan {
  const files: PlannedFile[] = []
  const taken = new Set<string>()
  const placed = credentials.map((credential): Credential => {
    const values = credential.values.map((value): Value => {
      if (value.file === undefined) return value
      const path = join(folder, credential.grant, value.name)
      // Windows and macOS take Key and key for one file.
      if (taken.has(path.toLowerCase()))
        throw refused(`Two values would both be the file ${credential.grant}/${value.name}.`)
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
  if (bytes.toString("base64") !== value)
    throw refused(`The value ${name} of ${grant} is not the base64 that it should be.`)
  return bytes
}

const refused = (message: string) => new ActionError("delivery_refused", message)
