import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { mustRun } from "../tools.ts"
import { tarballIn } from "./services.ts"

/** A home with what its owner set up, which must go on working. */
export function makeHome(folder: string): string {
  const home = join(folder, "home")
  const own = {
    ".gitconfig": `[user]\n\tname = Own Name\n\temail = own@acme.example\n[credential]\n\thelper = "!touch ${folder}/helper-was-asked; true"\n[safe]\n\tdirectory = *\n`,
    ".npmrc": "init-license=Own-1.0\nupdate-notifier=false\n",
    ".netrc": "machine own.example login own password own\n",
    ".docker/config.json": '{"auths":{"own.example":{"auth":"b3duOm93bg=="}}}',
    ".kube/config": JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "own",
      contexts: [{ name: "own", context: { cluster: "own", user: "own" } }],
      clusters: [{ name: "own", cluster: { server: "https://own.example" } }],
      users: [{ name: "own", user: {} }],
    }),
  }
  for (const [path, text] of Object.entries(own)) {
    mkdirSync(join(home, path, ".."), { recursive: true })
    writeFileSync(join(home, path), text)
  }
  return home
}

/** As containers' tools want it: a folder with the authority's certificate as `ca.crt`. */
export function certificateFolder(folder: string, authority: string): string {
  const made = join(folder, "certificates")
  mkdirSync(made, { recursive: true })
  writeFileSync(join(made, "ca.crt"), readFileSync(authority))
  return made
}

export async function makePackage(folder: string): Promise<void> {
  const made = join(folder, "package")
  mkdirSync(made)
  writeFileSync(join(made, "package.json"), '{"name":"@acme/left","version":"1.0.0"}')
  writeFileSync(join(made, "index.js"), "module.exports = 'left'\n")
  await mustRun("tar", ["-czf", tarballIn(folder), "package"], { cwd: folder })
}

export async function makeRepository(folder: string): Promise<void> {
  const [bare, work] = [join(folder, "repositories/shop.git"), join(folder, "work")]
  const git = (...args: string[]) => mustRun("git", ["-c", "user.name=A", "-c", "user.email=a@acme.example", ...args])
  await git("init", "-q", "--bare", "-b", "main", bare)
  await git("init", "-q", "-b", "main", work)
  await git("-C", work, "commit", "-q", "--allow-empty", "-m", "Begin")
  await git("-C", work, "push", "-q", bare, "main")
}
