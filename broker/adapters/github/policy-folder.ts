import type { PolicyInput } from "../../core/policy/load.ts"
import { MAX_FILE_BYTES } from "../../core/policy/yaml-guard.ts"
import { failed, type Refusal } from "../../github/answer.ts"
import {
  type Ask,
  blobBytes,
  blobSchema,
  isFile,
  isFolder,
  type Step,
  stepOf,
  type TreeEntry,
  treeSchema,
} from "./git-objects.ts"

/** A repository's policy files at one commit. */
export interface PolicyFolder {
  /** Git's hash of the folder: the same files have the same hash. */
  readonly treeSha: string
  readonly files: readonly PolicyInput[]
  readonly blobs: ReadonlyMap<string, Uint8Array>
}

/** The policy folder of a commit; `folder` is null when the commit has none. */
export interface CommitFolder {
  /** Git's hash of `.github`; null when there is none. */
  readonly parentSha: string | null
  readonly folder: PolicyFolder | null
}

const PARENT = ".github"
const FOLDER = "daypass"
export const FOLDER_PATH = `${PARENT}/${FOLDER}`
const MAX_FILES = 32
/** Workerd opens six connections at a time. Further requests would only wait, and use up their time. */
const PARALLEL = 6
const MAX_TREE_BYTES = 4 * 1024 * 1024 - 1
/** The limit for base64 with its line breaks, and GitHub's JSON around it. */
const MAX_BLOB_BYTES = 128 * 1024

/**
 * Reads the policy folder of a commit. Does not request what `before` already has: the same Git hash means the same
 * content.
 *
 * The folder is absent only when the complete list of its parent does not contain its name. Something else in place of the
 * folder, and anything in it that has the name of a policy but is not a plain file, is returned as refused, with the
 * reason. Then the policies do not load: silently skipping a file could skip a `deny`.
 */
export async function readCommitFolder(
  commit: string,
  before: CommitFolder | null,
  ask: Ask,
): Promise<Step<CommitFolder>> {
  const root = await readTree(commit, ask)
  if (root.outcome !== "ok") return root
  const parent = root.value.find(({ path }) => path === PARENT)
  if (parent === undefined) return done({ parentSha: null, folder: null })
  if (parent.sha === before?.parentSha) return done(before)
  if (!isFolder(parent)) return done({ parentSha: parent.sha, folder: refusedFolder(PARENT, parent.sha, NO_FOLDER) })

  const inside = await readTree(parent.sha, ask)
  if (inside.outcome !== "ok") return inside
  const entry = inside.value.find(({ path }) => path === FOLDER)
  if (entry === undefined) return done({ parentSha: parent.sha, folder: null })
  const folder = await readFolder(entry, before?.folder ?? null, ask)
  return folder.outcome === "ok" ? done({ parentSha: parent.sha, folder: folder.value }) : folder
}

async function readFolder(entry: TreeEntry, before: PolicyFolder | null, ask: Ask): Promise<Step<PolicyFolder>> {
  if (entry.sha === before?.treeSha) return done(before)
  if (!isFolder(entry)) return done(refusedFolder(FOLDER_PATH, entry.sha, NO_FOLDER))
  const list = await readTree(entry.sha, ask)
  if (list.outcome !== "ok") return list
  const meant = list.value.filter((each) => isPolicyName(each.path) && each.type !== "tree")
  if (meant.length > MAX_FILES) return done(refusedFolder(FOLDER_PATH, entry.sha, TOO_MANY))
  const readable = meant.filter((each) => reasonToRefuse(each) === null)
  const blobs = await readBlobs(readable, before?.blobs ?? new Map(), ask)
  if (blobs.outcome !== "ok") return blobs
  const files = meant.map((each): PolicyInput => {
    const path = `${FOLDER_PATH}/${each.path}`
    const refused = reasonToRefuse(each)
    if (refused !== null) return { path, bytes: new Uint8Array(), refused }
    return { path, bytes: blobs.value.get(each.sha) ?? new Uint8Array() }
  })
  return done({ treeSha: entry.sha, files, blobs: blobs.value })
}

/**
 * As in the organisation's folder, names with a leading dot and tests are ignored. `.yml` is included, so that the loader
 * refuses it.
 */
const isPolicyName = (name: string) => /\.ya?ml$/i.test(name) && !name.startsWith(".") && !name.endsWith(".test.yaml")

function reasonToRefuse(entry: TreeEntry): string | null {
  if (!isFile(entry)) return "This is a symlink or a submodule: put the file itself here."
  // Checked before the download: anyone who can push could make the broker download gigabytes.
  if (entry.size === undefined || entry.size > MAX_FILE_BYTES) {
    return `A policy file may have at most ${MAX_FILE_BYTES / 1024} KiB: split this one.`
  }
  return null
}

const NO_FOLDER = "This must be a folder: a symlink, a submodule or a file in its place is not followed."
const TOO_MANY = `A repository may have at most ${MAX_FILES} policy files: merge some, or remove unused ones.`

function refusedFolder(path: string, treeSha: string, refused: string): PolicyFolder {
  return { treeSha, files: [{ path, bytes: new Uint8Array(), refused }], blobs: new Map() }
}

async function readTree(name: string, ask: Ask): Promise<Step<readonly TreeEntry[]>> {
  const tree = stepOf(await ask(`/git/trees/${name}`, MAX_TREE_BYTES), treeSchema, "a folder of the repository")
  if (tree.outcome !== "ok") return tree
  // An incomplete list does not prove that a name is absent.
  if (tree.value.truncated) return failed("listed a folder of the repository only in part: it has too many files")
  return done(tree.value.tree)
}

async function readBlobs(
  entries: readonly TreeEntry[],
  known: ReadonlyMap<string, Uint8Array>,
  ask: Ask,
): Promise<Step<ReadonlyMap<string, Uint8Array>>> {
  const names = [...new Set(entries.map(({ sha }) => sha))]
  const blobs = new Map(names.flatMap((name) => (known.has(name) ? [[name, known.get(name) as Uint8Array]] : [])))
  const missing = names.filter((name) => !blobs.has(name))
  for (let start = 0; start < missing.length; start += PARALLEL) {
    const steps = await Promise.all(missing.slice(start, start + PARALLEL).map((name) => readBlob(name, ask)))
    for (const step of steps) {
      if (step.outcome !== "ok") return step
      blobs.set(step.value.name, step.value.bytes)
    }
  }
  return done(blobs)
}

async function readBlob(name: string, ask: Ask): Promise<Step<{ name: string; bytes: Uint8Array }>> {
  const blob = stepOf(await ask(`/git/blobs/${name}`, MAX_BLOB_BYTES), blobSchema, "a policy file")
  if (blob.outcome !== "ok") return blob
  const bytes = await blobBytes(blob.value.content, name)
  return bytes === null ? failed("sent another policy file than requested") : done({ name, bytes })
}

const done = <Value>(value: Value): Exclude<Step<Value>, Refusal> => ({ outcome: "ok", value, etag: null })
