import { createHash } from "node:crypto"
import * as z from "zod"
import { isReadName, type PolicyInput, sortedInputs } from "../../broker/core/policy/policy-input.ts"
import { MAX_FILE_BYTES } from "../../broker/core/policy/yaml-guard.ts"
import { ReviewError } from "./failure.ts"
import type { GitHub } from "./github.ts"
import { parsed } from "./pull-request.ts"

/** A policy folder as it is in one commit. */
export interface CommitFolder {
  /** Git's hash of it: the same files have the same hash. */
  readonly treeSha: string
  /** Every file that the broker would read, or refuse; by path from the folder. */
  readonly entries: readonly Entry[]
  /** The names of the files .gitattributes that are about the folder: its own, and those above it. */
  readonly attributes: readonly string[]
}

const MAX_FILES = 20_000
const MAX_TOTAL_BYTES = 64 * 1024 * 1024
const MAX_DEPTH = 16
/** GitHub counts one query as one request, whatever it asks for. */
const BLOBS_A_QUERY = 100
const PARALLEL = 4

const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)
const entrySchema = z.object({ path: z.string(), mode: z.string(), type: z.string(), sha, size: z.number().optional() })
const treeSchema = z.object({ tree: z.array(entrySchema), truncated: z.boolean() })
const blobSchema = z.object({ content: z.string(), encoding: z.literal("base64") })
const queriedSchema = z.object({
  repository: z.record(z.string(), z.object({ text: z.string().nullish() }).nullable()),
})

type Entry = z.infer<typeof entrySchema>

/**
 * Finds a folder in a commit; null when there is none.
 *
 * From Git's own trees, and never from an archive of the repository: a line of .gitattributes (export-ignore) leaves a file out of
 * such an archive, and with it a policy out of the review.
 *
 * @throws {ReviewError} when something else is in its place, or it is too large
 * @throws {GitHubError}
 */
export async function findFolder(github: GitHub, commit: string, folder: string): Promise<CommitFolder | null> {
  let treeSha = commit
  const attributes: Entry[] = []
  for (const part of folder === "" ? [] : folder.split("/")) {
    const tree = await readTree(github, treeSha, false)
    attributes.push(...tree.filter(isAttributes))
    const entry = tree.find(({ path }) => path === part)
    if (entry === undefined) return null
    if (entry.type !== "tree")
      throw new ReviewError(
        `The folder ${folder} is a file, a symlink or a submodule. Put the policies themselves there.`,
      )
    treeSha = entry.sha
  }
  const whole = await readTree(github, treeSha, true)
  const entries = whole.filter(isRead)
  attributes.push(...whole.filter(isAttributes))
  const all = [...entries, ...attributes]
  const total = all.reduce((sum, { size = 0 }) => sum + size, 0)
  if (all.length > MAX_FILES || total > MAX_TOTAL_BYTES) throw tooLarge(folder)
  return { treeSha, entries, attributes: [...new Set(attributes.map((one) => one.sha))] }
}

/** In any case: some file systems know no other. */
const isAttributes = ({ path, type }: Entry) => type === "blob" && /(?:^|\/)\.gitattributes$/i.test(path)

/**
 * Refuses a folder whose files have another text in a checkout than in Git. With `working-tree-encoding=ASCII//TRANSLIT`, a sign
 * that only looks like a star, and matches nothing, becomes a star in the folder that a broker reads.
 *
 * @throws {ReviewError}
 * @throws {GitHubError}
 */
export async function refuseEncodings(github: GitHub, { attributes }: CommitFolder): Promise<void> {
  const texts = await readBlobs(github, attributes)
  if (![...texts.values()].some((bytes) => Buffer.from(bytes).includes("working-tree-encoding"))) return
  throw new ReviewError(
    "A .gitattributes has working-tree-encoding. So a checkout of the policies can have another text than the one that is reviewed. Remove that attribute.",
  )
}

/** As the broker's reader of a folder: hidden names are left out, and so is what has no policy's name. Links are there to be refused. */
function isRead({ path, type, mode }: Entry): boolean {
  const parts = path.split("/")
  if (type === "tree" || parts.some((part) => part.startsWith("."))) return false
  return isLink({ type, mode }) || isReadName(parts.at(-1) ?? "")
}

/** Its target is what a checkout makes of it. A pull request could point it anywhere. */
const isLink = ({ type, mode }: Pick<Entry, "type" | "mode">) => type !== "blob" || mode === "120000"

function refusedFor({ path, size = 0, ...entry }: Entry): string | null {
  if (isLink(entry)) return "This is a symlink or a submodule: put the file itself here."
  if (path.split("/").length > MAX_DEPTH + 1)
    return `Folders may be nested at most ${MAX_DEPTH} levels deep: move this one up.`
  return size > MAX_FILE_BYTES ? `The file is larger than ${MAX_FILE_BYTES} bytes, the limit: split it.` : null
}

/** Reads the files of several folders, each content once. @throws {ReviewError} @throws {GitHubError} */
export async function readFolders(
  github: GitHub,
  folders: readonly (CommitFolder | null)[],
): Promise<readonly (readonly PolicyInput[] | null)[]> {
  const wanted = folders.flatMap((folder) => folder?.entries ?? []).filter((entry) => refusedFor(entry) === null)
  const contents = await readBlobs(github, [...new Set(wanted.map((entry) => entry.sha))])
  const inputOf = (entry: Entry): PolicyInput => {
    const refused = refusedFor(entry)
    if (refused !== null) return { path: entry.path, bytes: new Uint8Array(), refused }
    return { path: entry.path, bytes: contents.get(entry.sha) ?? new Uint8Array() }
  }
  return folders.map((folder) => folder && sortedInputs(folder.entries.map(inputOf)))
}

async function readTree(github: GitHub, name: string, recursive: boolean): Promise<readonly Entry[]> {
  const what = "a folder of the repository"
  const route = `GET /repos/{owner}/{repo}/git/trees/${name}`
  const { tree, truncated } = parsed(
    treeSchema,
    await github.call({ what, route, ...(recursive && { parameters: { recursive: "1" } }) }),
    what,
  )
  // A list that is cut could lack the one file that matters.
  if (truncated) throw new ReviewError("GitHub lists the repository's files only in part: the folder has too many.")
  return tree
}

async function readBlobs(github: GitHub, names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const groups = Array.from({ length: Math.ceil(names.length / BLOBS_A_QUERY) }, (_, at) =>
    names.slice(at * BLOBS_A_QUERY, (at + 1) * BLOBS_A_QUERY),
  )
  const contents = new Map<string, Uint8Array>()
  const readNext = async (): Promise<void> => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
      for (const [name, bytes] of await readGroup(github, group)) contents.set(name, bytes)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, readNext))
  return contents
}

async function readGroup(
  github: GitHub,
  names: readonly string[],
): Promise<readonly (readonly [string, Uint8Array])[]> {
  const fields = names.map((name, at) => `b${at}: object(oid: "${name}") { ... on Blob { text } }`).join(" ")
  const { owner, repo } = github
  const what = "policy files"
  const query = `query { repository(owner: ${JSON.stringify(owner)}, name: ${JSON.stringify(repo)}) { ${fields} } }`
  const { repository } = parsed(queriedSchema, await github.graphql(what, query), what)
  return Promise.all(
    names.map(async (name, at) => {
      // GraphQL gives text alone, and mends what is no UTF-8. Git's hash shows whether it is the file itself.
      const text = repository[`b${at}`]?.text
      const bytes = Buffer.from(text ?? "", "utf8")
      return [name, typeof text === "string" && gitName(bytes, name) === name ? bytes : await readBlob(github, name)]
    }),
  )
}

async function readBlob(github: GitHub, name: string): Promise<Uint8Array> {
  const what = "a policy file"
  const route = `GET /repos/{owner}/{repo}/git/blobs/${name}`
  const { content } = parsed(blobSchema, await github.call({ what, route }), what)
  const bytes = Buffer.from(content, "base64")
  if (gitName(bytes, name) !== name) throw new ReviewError("GitHub sent another policy file than the one asked for.")
  return bytes
}

/** Git's name of a file: a hash of the word `blob`, its length and its bytes. */
const gitName = (bytes: Uint8Array, name: string) =>
  createHash(name.length === 64 ? "sha256" : "sha1")
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest("hex")

const tooLarge = (folder: string) =>
  new ReviewError(
    `The folder ${folder || "."} is too large: at most ${MAX_FILES} files and ${MAX_TOTAL_BYTES / 1024 / 1024} MiB are reviewed.`,
  )
