import * as z from "zod"
import { type GitHub, part } from "../../github/api.ts"
import { GitHubError } from "../../github/github-error.ts"
import { readAs } from "../../github/read-as.ts"
import type { Scope, StoredSecret } from "./model.ts"
import { isOfInterest, type RepositoryFiles } from "./repository.ts"

/** A repository in a list of GitHub's. */
export interface ListedRepository {
  readonly owner: string
  readonly name: string
  readonly branch: string
}

const MAX_BLOB_BYTES = 2 * 1024 * 1024
/** GitHub's own limit of a page. */
const PAGE = "per_page=100"

const repository = z.object({
  name: z.string(),
  owner: z.object({ login: z.string() }),
  default_branch: z.string(),
  archived: z.boolean().default(false),
})
const secrets = z.object({
  secrets: z.array(z.object({ name: z.string(), created_at: z.string(), updated_at: z.string() })),
})
const environments = z.object({ environments: z.array(z.object({ name: z.string() })).default([]) })
const tree = z.object({
  tree: z.array(
    z.object({ path: z.string(), type: z.string(), mode: z.string(), sha: z.string(), size: z.number().optional() }),
  ),
  truncated: z.boolean(),
})
const blob = z.object({ content: z.string(), encoding: z.literal("base64") })

/** The repositories of an organisation or a person that are not archived. @throws {GitHubError} */
export async function repositoriesOf(github: GitHub, owner: string): Promise<readonly ListedRepository[]> {
  const what = `the repositories of ${owner}`
  const pages = await github.pages({ what, path: `/orgs/${part(owner)}/repos?${PAGE}` }).catch((error: unknown) => {
    // A person's account is no organisation.
    if (error instanceof GitHubError && error.reason === "absent")
      return github.pages({ what, path: `/users/${part(owner)}/repos?${PAGE}` })
    throw error
  })
  return pages
    .flatMap((page) => readAs(z.array(repository), page, what))
    .filter(({ archived }) => !archived)
    .map(listed)
}

/** @throws {GitHubError} */
export async function repositoryNamed(github: GitHub, owner: string, name: string): Promise<ListedRepository> {
  const what = `the repository ${owner}/${name}`
  return listed(readAs(repository, await github.call({ what, path: `/repos/${part(owner)}/${part(name)}` }), what))
}

const listed = ({ owner, name, default_branch: branch }: z.infer<typeof repository>): ListedRepository => ({
  owner: owner.login,
  name,
  branch,
})

/** An entry of a tree that a survey reads. */
export interface TreeFile {
  readonly path: string
  readonly mode: string
  readonly bytes: Uint8Array
}

/** The files of interest on the default branch. @throws {GitHubError} */
export async function filesOn(
  github: GitHub,
  { owner, name, branch }: ListedRepository,
  at: string = branch,
): Promise<RepositoryFiles & { readonly files: readonly TreeFile[] }> {
  const repo = `/repos/${part(owner)}/${part(name)}`
  const full = `${owner}/${name}`
  const what = `the files of ${full}`
  const found = await github
    .call({ what, path: `${repo}/git/trees/${part(at)}?recursive=1` })
    .catch((error: unknown) => {
      // 409: the repository has no commit.
      if (error instanceof GitHubError && error.reason === "conflict") return { tree: [], truncated: false }
      throw error
    })
  const { tree: entries, truncated } = readAs(tree, found, what)
  const unread = truncated
    ? ["GitHub cut the list of files short, because the repository is large: survey a checkout of it"]
    : []
  const files: TreeFile[] = []
  for (const { path, type, mode, sha, size = 0 } of entries) {
    // A link's blob is a path, not the file.
    if (type !== "blob" || mode === "120000" || !isOfInterest(path)) continue
    if (size > MAX_BLOB_BYTES) unread.push(`${path} is larger than 2 MiB, so it was not read`)
    else {
      const about = `the file ${path} of ${full}`
      const { content } = readAs(
        blob,
        await github.call({ what: about, path: `${repo}/git/blobs/${part(sha)}` }),
        about,
      )
      files.push({ path, mode, bytes: Buffer.from(content, "base64") })
    }
  }
  return { name: full, files, unread }
}

const ref = z.object({ object: z.object({ sha: z.string() }) })

/** The commit of a branch; null when there is no such branch. @throws {GitHubError} */
export async function headOf(
  github: GitHub,
  { owner, name }: Pick<ListedRepository, "owner" | "name">,
  branch: string,
): Promise<string | null> {
  const what = `the branch ${branch} of ${owner}/${name}`
  const path = `/repos/${part(owner)}/${part(name)}/git/ref/heads/${branch.split("/").map(part).join("/")}`
  try {
    return readAs(ref, await github.call({ what, path }), what).object.sha
  } catch (error) {
    if (error instanceof GitHubError && error.reason === "absent") return null
    throw error
  }
}

/** What a repository keeps, and sentences about the lists that GitHub does not show to this token. @throws {GitHubError} */
export async function storedIn(
  github: GitHub,
  { owner, name }: Pick<ListedRepository, "owner" | "name">,
): Promise<{ readonly stored: readonly StoredSecret[]; readonly unseen: readonly string[] }> {
  const repo = `/repos/${part(owner)}/${part(name)}`
  const full = `${owner}/${name}`
  const seen = new Seen(github)
  await seen.list("repository", `the Actions secrets of ${full}`, `${repo}/actions/secrets`)
  await seen.list("organisation", `the organisation's secrets for ${full}`, `${repo}/actions/organization-secrets`)
  await seen.list("dependabot", `the Dependabot secrets of ${full}`, `${repo}/dependabot/secrets`)
  await seen.list("codespaces", `the Codespaces secrets of ${full}`, `${repo}/codespaces/secrets`)
  const what = `the environments of ${full}`
  const named = await seen.ask(async () =>
    (await github.pages({ what, path: `${repo}/environments?${PAGE}` })).flatMap(
      (page) => readAs(environments, page, what).environments,
    ),
  )
  for (const { name: environment } of named) {
    const about = `the secrets of the environment ${environment} of ${full}`
    await seen.list("environment", about, `${repo}/environments/${part(environment)}/secrets`, environment)
  }
  return seen
}

/** The organisation's own lists: also of secrets that no repository may use. @throws {GitHubError} */
export async function storedInOrganisation(
  github: GitHub,
  owner: string,
): Promise<{ readonly stored: readonly StoredSecret[]; readonly unseen: readonly string[] }> {
  const seen = new Seen(github)
  await seen.list("organisation", `the Actions secrets of ${owner}`, `/orgs/${part(owner)}/actions/secrets`)
  await seen.list("dependabot", `the Dependabot secrets of ${owner}`, `/orgs/${part(owner)}/dependabot/secrets`)
  return seen
}

/** Lists that were read, and sentences about those that were not. A limit or a server that is away ends the whole. */
class Seen {
  readonly stored: StoredSecret[] = []
  readonly unseen: string[] = []
  readonly #github: GitHub

  constructor(github: GitHub) {
    this.#github = github
  }

  async list(scope: Scope, what: string, path: string, environment?: string): Promise<void> {
    const found = await this.ask(async () =>
      (await this.#github.pages({ what, path: `${path}?${PAGE}` })).flatMap(
        (page) => readAs(secrets, page, what).secrets,
      ),
    )
    this.stored.push(...found.map((one) => ({ ...one, scope, ...(environment !== undefined && { environment }) })))
  }

  async ask<Item>(question: () => Promise<readonly Item[]>): Promise<readonly Item[]> {
    try {
      return await question()
    } catch (error) {
      if (!(error instanceof GitHubError) || !["permission", "absent"].includes(error.reason)) throw error
      this.unseen.push(error.message)
      return []
    }
  }
}
