import type { Identity } from "../../core/identity.ts"
import type { PolicyInput } from "../../core/policy/load.ts"
import { failed, noAccess, type Refusal } from "../../github/answer.ts"
import type { Clock } from "../../ports/clock.ts"
import type { GitHubApp } from "./app.ts"
import { type Ask, referenceSchema, repositorySchema, type Step, stepOf } from "./git-objects.ts"
import { type CommitFolder, readCommitFolder } from "./policy-folder.ts"

/** Reads the policy files that repositories keep in `.github/daypass`. */
export interface RepositoryPolicyReader {
  /**
   * The current policy files on the default branch. `memory` comes from an earlier reading of the same repository.
   * Unchanged content is not sent again, and is returned as the same objects.
   */
  read(subject: RepositorySubject, memory: RepositoryMemory | null): Promise<RepositoryReading>
}

/** The repository. Both ids must match GitHub's answer. */
export type RepositorySubject = Pick<Identity, "unitId" | "ownerId">

/** `absent` only when GitHub says so: a complete list without the folder, or a repository without a commit. */
export type RepositoryReading =
  | {
      readonly outcome: "files"
      /** At least one file, with its path in the repository. */
      readonly files: readonly PolicyInput[]
      /** The repository's current name. */
      readonly fullName: string
      /** Git's hash of the folder, which is the version of its files. */
      readonly treeSha: string
      readonly memory: RepositoryMemory
    }
  | { readonly outcome: "absent"; readonly fullName: string; readonly memory: RepositoryMemory }
  | Refusal

/** The state that one reading passes to the next. */
export interface RepositoryMemory {
  readonly repository: Remembered<Repository>
  readonly branch: Remembered<Branch>
  readonly commit: CommitFolder
}

interface Remembered<Value> {
  readonly value: Value
  readonly etag: string | null
}

interface Repository {
  readonly fullName: string
  readonly ownerId: string
  readonly defaultBranch: string
}

interface Branch {
  readonly name: string
  /** Null when the repository has no commit. */
  readonly commit: string | null
}

/** The limit for all requests of one reading together, because a job waits for them. */
const READING_TIMEOUT_MS = 10_000
const MAX_DOCUMENT_BYTES = 256 * 1024

/** Reads as the App, only by the repository's id. Needs the App's permission to read contents. */
export function createRepositoryPolicyReader(app: GitHubApp, clock: Clock): RepositoryPolicyReader {
  return {
    async read({ unitId: repositoryId, ownerId }, memory) {
      const deadline = clock.elapsed() + READING_TIMEOUT_MS
      const ask: Ask = (path, maxBytes, etag = null) =>
        app.get({ repositoryId, permission: "contents", path, maxBytes, etag, deadline })

      const repository = await readRepository(repositoryId, memory?.repository ?? null, ask)
      if (repository.outcome !== "ok") return repository
      const { fullName, defaultBranch } = repository.value
      if (repository.value.ownerId !== ownerId) return noAccess("owner-changed")

      const branch = await readBranch(defaultBranch, memory?.branch ?? null, ask)
      if (branch.outcome !== "ok") return branch
      const commit = await readCommit(branch.value, memory, ask)
      if (commit.outcome !== "ok") return commit

      const next: RepositoryMemory = { repository, branch, commit: commit.value }
      const { folder } = commit.value
      if (folder === null || folder.files.length === 0) return { outcome: "absent", fullName, memory: next }
      return { outcome: "files", files: folder.files, fullName, treeSha: folder.treeSha, memory: next }
    },
  }
}

async function readRepository(id: string, before: Remembered<Repository> | null, ask: Ask): Promise<Step<Repository>> {
  const answer = await ask("", MAX_DOCUMENT_BYTES, before?.etag)
  if (answer.outcome === "not-modified" && before) return { outcome: "ok", ...before }
  const step = stepOf(answer, repositorySchema, "the repository")
  if (step.outcome !== "ok") return step
  const { id: answered, full_name: fullName, default_branch: defaultBranch, owner } = step.value
  if (String(answered) !== id) return failed("described another repository than requested")
  return { outcome: "ok", value: { fullName, defaultBranch, ownerId: String(owner.id) }, etag: step.etag }
}

/**
 * The commit of the default branch. The request uses the branch's full ref: with a bare name, a tag of the same name could
 * win, and often everyone who can push may create tags.
 */
async function readBranch(name: string, before: Remembered<Branch> | null, ask: Ask): Promise<Step<Branch>> {
  const path = pathOf(name)
  if (path === null) return failed("named a default branch that is not valid in Git")
  const known = before?.value.name === name ? before : null
  const answer = await ask(`/git/ref/heads/${path}`, MAX_DOCUMENT_BYTES, known?.etag)
  if (answer.outcome === "not-modified" && known) return { outcome: "ok", ...known }
  if (answer.outcome === "absent") return { outcome: "ok", value: { name, commit: null }, etag: null }
  const step = stepOf(answer, referenceSchema, "the default branch")
  if (step.outcome !== "ok") return step
  if (step.value.ref !== `refs/heads/${name}`) return failed("described another branch than the default one")
  return { outcome: "ok", value: { name, commit: step.value.object.sha }, etag: step.etag }
}

async function readCommit({ commit }: Branch, memory: RepositoryMemory | null, ask: Ask): Promise<Step<CommitFolder>> {
  if (commit === null) return { outcome: "ok", value: { parentSha: null, folder: null }, etag: null }
  if (memory !== null && commit === memory.branch.value.commit)
    return { outcome: "ok", value: memory.commit, etag: null }
  return readCommitFolder(commit, memory?.commit ?? null, ask)
}

/** A branch's name, encoded for a URL's path; null for a name that would lead to another path. */
function pathOf(branch: string): string | null {
  const parts = branch.split("/")
  if (parts.some((part) => part === "" || part === "." || part === "..") || !branch.isWellFormed()) return null
  return parts.map(encodeURIComponent).join("/")
}
