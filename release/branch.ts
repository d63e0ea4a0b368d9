// `node release/branch.ts --archive FILE --version X.Y.Z [--part worker] [--remote NAME]`: puts the action on its release branch, or
// the Worker on the branch that the Deploy to Cloudflare button clones. Run by the release workflow, after the release itself.
import { execFileSync } from "node:child_process"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { layOutButton } from "./button.ts"
import { ROOT, readSource } from "./place.ts"

/** Who the commit is by: the account of GitHub's own token in a workflow. */
const AUTHOR = { name: "github-actions[bot]", email: "41898282+github-actions[bot]@users.noreply.github.com" }

/** The branches of major versions, and what each part of a release becomes there. */
const PARTS = {
  action: { branch: (major: string) => `releases/v${major}`, movesTag: true, layOut: async () => {} },
  // Without a slash: Cloudflare reads what follows the branch in an address as a folder.
  worker: { branch: (major: string) => `worker-v${major}`, movesTag: false, layOut: layOutButton },
} as const
export type Part = keyof typeof PARTS

export interface Branch {
  /** The archive of the part. */
  readonly archive: string
  /** `action` when left out. */
  readonly part?: Part
  readonly version: string
  /** A remote of the repository, or an address that git pushes to. */
  readonly remote: string
  /** The repository that the commit is made in. */
  readonly repository?: string
}

/**
 * Commits the archive's content to `releases/vN`, where N is the major version, and moves the tag `vN` there, in one push; the
 * Worker's to `worker-vN`, without a tag. Nothing
 * that is pushed can be half of it, and a branch that has moved on meanwhile refuses the push.
 *
 * An immutable release fixes its own tag, vX.Y.Z. `vN` has no release, so it may move:
 * https://docs.github.com/en/actions/how-tos/create-and-publish-actions/using-immutable-releases-and-tags-to-manage-your-actions-releases
 *
 * Run twice, it changes nothing: the commit is the same, because its time is that of the source.
 * @returns the commit
 */
export async function pushBranch({
  archive,
  part = "action",
  version,
  remote,
  repository = ROOT,
}: Branch): Promise<string> {
  const major = /^(0|[1-9][0-9]*)\.[0-9]+\.[0-9]+$/.exec(version)?.[1]
  if (major === undefined) throw new Error(`${version} is no version: it must be X.Y.Z`)
  const { branch: nameOf, movesTag, layOut } = PARTS[part]
  const branch = `refs/heads/${nameOf(major)}`
  const scratch = await mkdtemp(join(tmpdir(), "daypass-branch-"))
  const content = join(scratch, "content")
  await mkdir(content)
  const { time } = await readSource(process.env)
  const when = `${time} +0000`
  const env = {
    ...process.env,
    GIT_INDEX_FILE: join(scratch, "index"),
    ...{ GIT_AUTHOR_NAME: AUTHOR.name, GIT_AUTHOR_EMAIL: AUTHOR.email, GIT_AUTHOR_DATE: when },
    ...{ GIT_COMMITTER_NAME: AUTHOR.name, GIT_COMMITTER_EMAIL: AUTHOR.email, GIT_COMMITTER_DATE: when },
  }
  const git = (...args: string[]) => execFileSync("git", args, { cwd: repository, env, encoding: "utf8" }).trim()
  try {
    execFileSync("tar", [
      "--extract",
      "--gzip",
      "--strip-components=1",
      `--file=${resolve(archive)}`,
      `--directory=${content}`,
    ])
    await layOut(content)
    git(`--work-tree=${content}`, "add", "--force", "--all", "--", content)
    const tree = git("write-tree")
    const [tip = ""] = git("ls-remote", remote, branch).split("\t")
    if (tip !== "") git("fetch", "--quiet", "--depth=1", remote, branch)
    const same = tip !== "" && git("rev-parse", `${tip}^{tree}`) === tree
    const parents = tip === "" ? [] : ["-p", tip]
    const commit = same ? tip : git("commit-tree", tree, ...parents, "-m", `The ${part} of version ${version}`)
    const tag = movesTag ? [`+${commit}:refs/tags/v${major}`] : []
    git("push", "--quiet", "--atomic", remote, `${commit}:${branch}`, ...tag)
    return commit
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      archive: { type: "string" },
      version: { type: "string" },
      part: { type: "string", default: "action" },
      remote: { type: "string", default: "origin" },
    },
  })
  const { archive, version, remote, part } = values
  if (archive === undefined || version === undefined || (part !== "action" && part !== "worker"))
    throw new Error(
      "usage: node release/branch.ts --archive FILE --version X.Y.Z [--part action|worker] [--remote NAME]",
    )
  console.log(await pushBranch({ archive, version, remote, part }))
}
