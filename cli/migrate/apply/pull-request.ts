import * as z from "zod"
import { type GitHub, part } from "../../github/api.ts"
import { GitHubError } from "../../github/github-error.ts"
import type { FileChange } from "../plan/plan.ts"
import { readAs } from "../survey/github-source.ts"

/** What goes to GitHub. */
export interface Proposal {
  readonly owner: string
  readonly name: string
  /** The branch that the pull request is for. */
  readonly base: string
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

const ref = z.object({ object: z.object({ sha: z.string() }) })
const commit = z.object({ sha: z.string(), tree: z.object({ sha: z.string() }) })
const tree = z.object({ sha: z.string() })
const pull = z.object({ number: z.number(), html_url: z.string() })

/**
 * Makes the branch and the pull request. Git's objects come first, which nobody sees, then the branch, then the request: whatever
 * fails, a second run goes on from there, and makes no second request.
 *
 * @throws {GitHubError}
 */
export async function propose(github: GitHub, proposal: Proposal): Promise<Proposed> {
  const { owner, name, base, head, title, body, files } = proposal
  const repo = `/repos/${part(owner)}/${part(name)}`
  const full = `${owner}/${name}`
  const what = `the branch ${base} of ${full}`
  const { object } = readAs(
    ref,
    await github.call({ what, path: `${repo}/git/ref/heads/${base.split("/").map(part).join("/")}` }),
    what,
  )
  const from = await commitAt(github, repo, object.sha, full)
  const made = readAs(
    tree,
    await github.call({
      ...{ what: `a commit in ${full}`, method: "POST", path: `${repo}/git/trees`, success: 201 },
      body: {
        base_tree: from.tree.sha,
        tree: files.map(({ path, after }) => ({ path, mode: "100644", type: "blob", content: after })),
      },
    }),
    `a commit in ${full}`,
  )
  await branchWith(github, { repo, full, head, parent: from.sha, tree: made.sha, title })

  const about = `the pull requests of ${full}`
  const query = new URLSearchParams({ state: "open", head: `${owner}:${head}`, base })
  const open = readAs(z.array(pull), await github.call({ what: about, path: `${repo}/pulls?${query}` }), about)
  const [known] = open
  if (known !== undefined) return { url: known.html_url, isNew: false }
  const opened = await github.call({
    what: about,
    method: "POST",
    path: `${repo}/pulls`,
    body: { title, head, base, body },
    success: 201,
  })
  return { url: readAs(pull, opened, about).html_url, isNew: true }
}

async function commitAt(github: GitHub, repo: string, sha: string, full: string): Promise<z.infer<typeof commit>> {
  const what = `a commit in ${full}`
  return readAs(commit, await github.call({ what, path: `${repo}/git/commits/${part(sha)}` }), what)
}

interface Branch {
  readonly repo: string
  readonly full: string
  readonly head: string
  readonly parent: string
  readonly tree: string
  readonly title: string
}

/** A branch that is there with the same files is kept. One with other files is somebody's work, or older: it is not replaced. */
async function branchWith(github: GitHub, { repo, full, head, parent, tree: wanted, title }: Branch): Promise<void> {
  const what = `the branch ${head} of ${full}`
  const found = await github
    .call({ what, path: `${repo}/git/ref/heads/${head.split("/").map(part).join("/")}` })
    .catch((error: unknown) => {
      if (error instanceof GitHubError && error.reason === "absent") return null
      throw error
    })
  if (found !== null) {
    const there = await commitAt(github, repo, readAs(ref, found, what).object.sha, full)
    if (there.tree.sha === wanted) return
    throw new GitHubError(
      "conflict",
      `${full} has a branch ${head} with other changes: merge or close its pull request, delete the branch, and run this again`,
    )
  }
  const about = `a commit in ${full}`
  const body = { message: title, tree: wanted, parents: [parent] }
  const made = readAs(
    commit,
    await github.call({ what: about, method: "POST", path: `${repo}/git/commits`, body, success: 201 }),
    about,
  )
  await github.call({
    what,
    method: "POST",
    path: `${repo}/git/refs`,
    body: { ref: `refs/heads/${head}`, sha: made.sha },
    success: 201,
  })
}
