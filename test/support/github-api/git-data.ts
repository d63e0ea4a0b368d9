import type { GitEntry, GitFiles } from "./git.ts"
import type { HostedRepository } from "./model.ts"
import { no, yes } from "./route.ts"
import type { SecretRoute, Sent } from "./secrets.ts"

export interface OpenPull {
  readonly number: number
  readonly title: string
  readonly body: string
  readonly head: string
  readonly base: string
}

/** A repository's files and branches, as clients read and write them by the API for Git's data. */
export class GitData {
  readonly repository: HostedRepository
  readonly pulls: OpenPull[] = []
  /** Commit or tree -> all its files. */
  readonly files = new Map<string, GitFiles>()

  constructor(repository: HostedRepository) {
    this.repository = repository
  }

  /** Makes these files the whole of a branch. */
  push(files: GitFiles, branch = this.repository.defaultBranch): void {
    this.know(this.repository.push(files, branch), files)
  }

  /** The text of a file on a branch; undefined without it. */
  text(branch: string, path: string): string | undefined {
    const file = this.files.get(this.repository.branches.get(branch) ?? "")?.[path]
    return typeof file === "string" ? file : undefined
  }

  know(commit: string, files: GitFiles): void {
    this.files.set(commit, files)
    this.files.set(this.repository.objects.tree(commit)?.sha ?? "", files)
  }
}

const EMPTY = no(409, "Git Repository is empty.")
const text = (sent: Sent, key: string) => (typeof sent[key] === "string" ? (sent[key] as string) : "")

/** Every route that a migration has a reason to ask for. A change below `.github/workflows` needs a permission of its own. */
export const GIT_ROUTES: readonly SecretRoute[] = [
  {
    method: "GET",
    path: /^\/git\/ref\/heads\/(.+)$/,
    needs: "contents=read",
    answer({ repository: { branches } }, [name = ""]) {
      const sha = branches.get(name)
      if (branches.size === 0) return EMPTY
      return sha === undefined ? null : yes({ ref: `refs/heads/${name}`, object: { type: "commit", sha } })
    },
  },
  {
    method: "GET",
    path: /^\/git\/commits\/([0-9a-f]{40})$/,
    needs: "contents=read",
    answer({ repository: { objects } }, [sha = ""]) {
      const tree = objects.tree(sha)
      return tree ? yes({ sha, tree: { sha: tree.sha }, parents: [] }) : null
    },
  },
  {
    method: "GET",
    path: /^\/git\/trees\/([^/]+)$/,
    needs: "contents=read",
    answer({ repository: { branches, objects, truncatesTrees } }, [name = ""], _sent, query) {
      if (branches.size === 0) return EMPTY
      const tree = objects.tree(branches.get(name) ?? name)
      if (!tree) return null
      const below = (entries: readonly GitEntry[], above: string): GitEntry[] =>
        entries.flatMap((entry) => [
          { ...entry, path: above + entry.path },
          ...(entry.type === "tree" ? below(objects.tree(entry.sha)?.entries ?? [], `${above}${entry.path}/`) : []),
        ])
      const entries = query.has("recursive") ? below(tree.entries, "") : tree.entries
      return yes({ sha: tree.sha, tree: truncatesTrees ? entries.slice(0, 1) : entries, truncated: truncatesTrees })
    },
  },
  {
    method: "GET",
    path: /^\/git\/blobs\/([0-9a-f]{40})$/,
    needs: "contents=read",
    answer({ repository: { objects } }, [sha = ""]) {
      const bytes = objects.blob(sha)
      const content = bytes?.toString("base64").replace(/(.{60})/g, "$1\n")
      return bytes ? yes({ sha, size: bytes.length, content, encoding: "base64" }) : null
    },
  },
  {
    method: "POST",
    path: /^\/git\/trees$/,
    needs: "contents=write",
    answer(data, _parts, sent) {
      const before = data.files.get(text(sent, "base_tree"))
      const changes = sent["tree"] as readonly Record<string, string>[] | undefined
      if (before === undefined || !Array.isArray(changes)) return no(422, "base_tree is not a valid tree oid")
      if (
        changes.some(
          ({ path, mode, type, content }) => !path || mode !== "100644" || type !== "blob" || content === undefined,
        )
      )
        return no(422, "Invalid tree info")
      const files = { ...before, ...Object.fromEntries(changes.map(({ path = "", content = "" }) => [path, content])) }
      const commit = data.repository.objects.commit(files, "a tree")
      data.know(commit, files)
      return yes({ sha: data.repository.objects.tree(commit)?.sha }, 201)
    },
  },
  {
    method: "POST",
    path: /^\/git\/commits$/,
    needs: "contents=write",
    answer(data, _parts, sent) {
      const files = data.files.get(text(sent, "tree"))
      const parents = sent["parents"]
      if (files === undefined || text(sent, "message") === "" || !Array.isArray(parents))
        return no(422, "Tree SHA does not exist")
      if (!parents.every((parent: string) => data.files.has(parent)))
        return no(422, "Parent SHA does not exist or is not a commit object")
      const sha = data.repository.objects.commit(files, text(sent, "message"))
      data.know(sha, files)
      return yes({ sha, tree: { sha: text(sent, "tree") } }, 201)
    },
  },
  {
    method: "POST",
    path: /^\/git\/refs$/,
    // To make a branch on which workflows differ, GitHub wants both.
    needs: "workflows=write",
    answer(data, _parts, sent) {
      const [, name] = /^refs\/heads\/(.+)$/.exec(text(sent, "ref")) ?? []
      if (name === undefined || !data.files.has(text(sent, "sha"))) return no(422, "Object does not exist")
      if (data.repository.branches.has(name)) return no(422, "Reference already exists")
      data.repository.branches.set(name, text(sent, "sha"))
      return yes({ ref: `refs/heads/${name}`, object: { type: "commit", sha: text(sent, "sha") } }, 201)
    },
  },
  {
    method: "GET",
    path: /^\/pulls$/,
    needs: "pull_requests=read",
    answer({ pulls, repository }, _parts, _sent, query) {
      // GitHub ignores a head without its owner, and would list all.
      const [owner, ...branch] = (query.get("head") ?? "").split(":")
      if (owner !== repository.owner.login || query.get("state") !== "open")
        return yes(pulls.map((one) => bodyOf(one, repository)))
      const found = pulls.filter(({ head, base }) => head === branch.join(":") && base === query.get("base"))
      return yes(found.map((one) => bodyOf(one, repository)))
    },
  },
  {
    method: "POST",
    path: /^\/pulls$/,
    needs: "pull_requests=write",
    answer({ pulls, repository }, _parts, sent) {
      const [head, base, title] = ["head", "base", "title"].map((key) => text(sent, key)) as [string, string, string]
      if (!repository.branches.has(head) || !repository.branches.has(base) || title === "")
        return no(422, "Validation Failed")
      if (pulls.some((one) => one.head === head && one.base === base)) return no(422, "Validation Failed")
      const pull = { number: pulls.length + 1, title, body: text(sent, "body"), head, base }
      pulls.push(pull)
      return yes(bodyOf(pull, repository), 201)
    },
  },
]

const bodyOf = ({ number, title }: OpenPull, { fullName }: HostedRepository) => ({
  number,
  title,
  state: "open",
  html_url: `https://github.com/${fullName}/pull/${number}`,
})
