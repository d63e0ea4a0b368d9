import * as z from "zod"
import { type Answer, failed, type Refusal } from "../../github/answer.ts"

/** The result of one step of a reading. */
export type Step<Value> = { readonly outcome: "ok"; readonly value: Value; readonly etag: string | null } | Refusal

/** One question about the repository that is being read. */
export type Ask = (path: string, maxBytes: number, etag?: string | null) => Promise<Answer>

/** SHA-1, or SHA-256, which GitHub may introduce. */
const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)

export const repositorySchema = z.object({
  id: z.int().positive(),
  full_name: z.string().regex(/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/),
  default_branch: z.string().min(1).max(255),
  owner: z.object({ id: z.int().positive() }),
})

export const referenceSchema = z.object({
  ref: z.string(),
  object: z.object({ type: z.literal("commit"), sha }),
})

const entrySchema = z.object({
  path: z.string(),
  mode: z.string(),
  type: z.string(),
  sha,
  size: z.int().nonnegative().optional(),
})

/** One name in a folder. */
export type TreeEntry = z.infer<typeof entrySchema>

export const treeSchema = z.object({ sha, tree: z.array(entrySchema), truncated: z.boolean() })

export const blobSchema = z.object({ encoding: z.literal("base64"), content: z.string() })

/** Whether an entry is a real folder, and not a symlink, a submodule or a file. */
export const isFolder = ({ type, mode }: TreeEntry) => type === "tree" && mode === "040000"

/** Whether an entry is a plain file. */
export const isFile = ({ type, mode }: TreeEntry) => type === "blob" && (mode === "100644" || mode === "100755")

/** Parses a successful answer with the schema. `what` names the resource for the error. */
export function stepOf<Schema extends z.ZodType>(answer: Answer, schema: Schema, what: string): Step<z.infer<Schema>> {
  if (answer.outcome === "absent" || answer.outcome === "not-modified") return failed(`sent no content for ${what}`)
  if (answer.outcome !== "ok") return answer
  const parsed = schema.safeParse(answer.body)
  if (!parsed.success) return failed(`described ${what} in an unexpected form`)
  return { outcome: "ok", value: parsed.data, etag: answer.etag }
}

/** The bytes of a blob, if their hash is the blob's name in Git; null otherwise. */
export async function blobBytes(content: string, name: string): Promise<Uint8Array | null> {
  let bytes: Uint8Array
  try {
    bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0))
  } catch {
    return null
  }
  return (await blobName(bytes, name.length === 64 ? "SHA-256" : "SHA-1")) === name ? bytes : null
}

/** A blob's name in Git: the hash of the word `blob`, its length and its bytes. */
async function blobName(bytes: Uint8Array, algorithm: "SHA-1" | "SHA-256"): Promise<string> {
  const head = new TextEncoder().encode(`blob ${bytes.length}\0`)
  const object = new Uint8Array(head.length + bytes.length)
  object.set(head)
  object.set(bytes, head.length)
  const digest = new Uint8Array(await crypto.subtle.digest(algorithm, object))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
