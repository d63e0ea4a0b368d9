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

/** A repository's policy files as one commit has them. */
export interface PolicyFolder {
  /** Git's name for the folder: the same files are the same name. */
  readonly treeSha: string
  readonly files: readonly PolicyInput[]
  readonly blobs: ReadonlyMap<string, Uint8Array>
}

/** What a commit holds: `folder` is null when there is no policy folder in it. */
export interface CommitFolder {
  /** Git's name for `.github`; null when there is none. */
  readonly parentSha: string | null
  readonly folder: PolicyFolder | null
}

const PARENT = ".github"
const FOLDER = "daypass"
export const FOLDER_PATH = `${PARENT}/${FOLDER}`
const MAX_FILES = 32
/** Workerd opens six connections at a time; more would only wait in line, with their time running. */
const PARALLEL = 6
const MAX_TREE_BYTES = 4 * 1024 * 1024 - 1
/** Base64, its line breaks, and what GitHub writes around it. */
const MAX_BLOB_BYTES = 128 * 1024

/**
 * Reads the policy folder of a commit. Asks for nothing that `before` has already: what Git names the same is the same.
 *
 * A folder is absent only when the whole list of its parent lacks its name. Whatever stands in its place, and whatever
 * stands in it under the name of a policy without being a plain file, comes back as refused with the reason, so that
 * the policies do not load: leaving one out in silence could leave out a `deny`.
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

/** As a folder of the organisation's is read: names with a dot in front and tests are none of ours; `.yml` is for the loader to refuse. */
const isPolicyName = (name: string) => /\.ya?ml$/i.test(name) && !name.startsWith(".") && !name.endsWith(".test.yaml")

function reasonToRefuse(entry: TreeEntry): string | null {
  if (!isFile(entry)) return "This is a symlink or a submodule: put the file itself here."
  // Before it is downloaded: whoever can push could make us fetch gigabytes.
  if (entry.size === undefined || entry.size > MAX_FILE_BYTES) {
    return `A policy file has at most ${MAX_FILE_BYTES / 1024} KiB: split this one.`
  }
  return null
}

const NO_FOLDER = "This must be a folder: a symlink, a submodule or a file in its place is not followed."
const TOO_MANY = `A repository keeps at most ${MAX_FILES} policy files: merge some, or remove those that nobody needs.`

function refusedFolder(path: string, treeSha: string, refused: string): PolicyFolder {
  return { treeSha, files: [{ path, bytes: new Uint8Array(), refused }], blobs: new Map() }
}

async function readTree(name: string, ask: Ask): Promise<Step<readonly TreeEntry[]>> {
  const tree = stepOf(await ask(`/git/trees/${name}`, MAX_TREE_BYTES), treeSchema, "a folder of the repository")
  if (tree.outcome !== "ok") return tree
  // What is missing from half a list is not absent.
  if (tree.value.truncated) return failed("listed a folder of the repository in part only: it holds too many files")
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
  return bytes === null ? failed("sent another policy file than the one that was asked for") : done({ name, bytes })
}

const done = <Value>(value: Value): Exclude<Step<Value>, Refusal> => ({ outcome: "ok", value, etag: null })
