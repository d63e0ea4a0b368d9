import { createHash } from "node:crypto"
import * as z from "zod"
import { type GitHub, part } from "../../github/api.ts"
import { GitHubError } from "../../github/github-error.ts"
import { readAs } from "../../github/read-as.ts"
import type { FileChange } from "../plan/model.ts"
import { headOf } from "../survey/github-source.ts"

/** What goes to GitHub. */
export interface Proposal {
  readonly owner: string
  readonly name: string
  /** The branch that the pull request is for, and the commit of it that the changes are of. */
  readonly base: string
  readonly commit: string
  /** The new branch. */
  readonly head: string
  readonly title: string
  readonly body: string
  readonly files: readonly FileChange[]
}

export interface Proposed {
  readonly url: string
  /** False: it was there already, with the same changes. */
  readonly isNew: boolean
}

const commit = z.object({ sha: z.string(), tree: z.object({ sha: z.string() }) })
const made = z.object({ sha: z.string() })
const pull = z.object({ number: z.number(), html_url: z.string() })
const entries = z.object({ tree: z.array(z.object({ path: z.string(), sha: z.string() })) })

/**
 * Makes the branch and the pull request. Git's objects come first, which nobody sees, then the branch, then the request: whatever
 * fails, a second run goes on from there, and makes no second request.
 *
 * @throws {GitHubError}
 */
export async function propose(github: GitHub, proposal: Proposal): Promise<Proposed> {
  const { owner, name, base, head, title, body } = proposal
  const repo = `/repos/${part(owner)}/${part(name)}`
  const full = `${owner}/${name}`
  const there = await headOf(github, proposal, head)
  if (there === null) await makeBranch(github, repo, proposal)
  else if (!(await hasFiles(github, repo, there, proposal)))
    throw new GitHubError(
      "conflict",
      `${full} has a branch ${head} with other changes: merge or close its pull request, delete the branch, and run this again`,
    )
  const what = `the pull requests of ${full}`
  const query = new URLSearchParams({ state: "open", head: `${owner}:${head}`, base })
  const open = readAs(z.array(pull), await github.call({ what, path: `${repo}/pulls?${query}` }), what)
  const [known] = open
  if (known !== undefined) return { url: known.html_url, isNew: false }
  const request = {
    what,
    method: "POST",
    path: `${repo}/pulls`,
    body: { title, head, base, body },
    success: 201,
  } as const
  return { url: readAs(pull, await github.call(request), what).html_url, isNew: true }
}

async function makeBranch(
  github: GitHub,
  repo: string,
  { owner, name, commit: parent, head, title, files }: Proposal,
): Promise<void> {
  const what = `a commit in ${owner}/${name}`
  const post = (path: string, body: object) =>
    github.call({ what, method: "POST", path: `${repo}${path}`, body, success: 201 })
  const from = readAs(commit, await github.call({ what, path: `${repo}/git/commits/${part(parent)}` }), what)
  const tree = files.map(({ path, after }) => ({ path, mode: "100644", type: "blob", content: after }))
  const { sha: root } = readAs(made, await post("/git/trees", { base_tree: from.tree.sha, tree }), what)
  const { sha } = readAs(made, await post("/git/commits", { message: title, tree: root, parents: [parent] }), what)
  await post("/git/refs", { ref: `refs/heads/${head}`, sha })
}

/** Whether a branch has these files. One with others is somebody's work, or older: it is not replaced. */
async function hasFiles(
  github: GitHub,
  repo: string,
  at: string,
  { owner, name, head, files }: Proposal,
): Promise<boolean> {
  const what = `the branch ${head} of ${owner}/${name}`
  const { tree } = readAs(entries, await github.call({ what, path: `${repo}/git/trees/${part(at)}?recursive=1` }), what)
  return files.every(({ path, after }) => tree.some((entry) => entry.path === path && entry.sha === blobName(after)))
}

/** The name that Git gives a file's content. */
function blobName(text: string): string {
  const bytes = Buffer.from(text)
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex")
}
