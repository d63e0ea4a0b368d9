// Builds the site: `node build.ts [--out DIR] [--url URL] [--source DIR] [--main-only]`. One folder for each release, and
// `main`. Every version is built anew by the generator of now, from the pages of its tag: no branch keeps what was built.
import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { build } from "vitepress"
import { isPage, pageOf } from "./pages.ts"

const HERE = import.meta.dirname

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(HERE, "dist") },
    url: { type: "string", default: "https://daypass.github.io/daypass/" },
    source: { type: "string", default: resolve(HERE, "../..") },
    "main-only": { type: "boolean", default: false },
  },
})
const { out, url, source } = values
const base = new URL(url).pathname
const git = (folder: string, ...args: string[]) => execFileSync("git", args, { cwd: folder, encoding: "utf8" })

/** Releases, the newest first. */
const releases = values["main-only"]
  ? []
  : git(source, "tag", "--list", "v[0-9]*.[0-9]*.[0-9]*", "--sort=-version:refname").split("\n").filter(isRelease)

function isRelease(tag: string): boolean {
  return /^v[0-9]+\.[0-9]+\.[0-9]+$/.test(tag)
}

/** Beside node_modules, where the generator finds what the pages are made of. */
const work = join(HERE, ".work")
for (const folder of [work, out]) rmSync(folder, { recursive: true, force: true })
process.once("exit", () => rmSync(work, { recursive: true, force: true }))
const versions = ["main", ...releases]
for (const version of versions) {
  const tree = version === "main" ? source : join(work, "trees", version)
  if (version !== "main") git(source, "worktree", "add", "--quiet", "--detach", tree, version)
  try {
    await buildVersion(version, tree)
  } finally {
    if (version !== "main") git(source, "worktree", "remove", "--force", tree)
  }
}
// Whoever comes without a version reads the newest release, or main as long as there is none.
const first = `${base}${releases[0] ?? "main"}/`
writeFileSync(
  join(out, "index.html"),
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Daypass</title><meta http-equiv="refresh" content="0; url=${first}"><a href="${first}">Daypass</a></html>\n`,
)
console.log(`${versions.join(", ")} in ${out}`)

async function buildVersion(version: string, tree: string): Promise<void> {
  const pages = join(work, "pages", version)
  const listed = git(tree, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
  for (const path of listed.filter((path) => isPage(path) || /^docs\/images\//.test(path))) {
    const to = join(pages, pageOf(path))
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(join(tree, path), to)
  }
  // The configuration is a file that the generator loads by itself: this is how it is told what to build.
  process.env["DAYPASS_SITE"] = JSON.stringify({ version, versions, url, tree, pages })
  await build(HERE, { base: `${base}${version}/`, outDir: resolve(out, version) })
}
