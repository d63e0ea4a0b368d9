import { createHash } from "node:crypto"
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { mustRun } from "../tools.ts"

const HERE = fileURLToPath(new URL(".", import.meta.url))
const CACHE = fileURLToPath(new URL("../../../node_modules/.cache/daypass-clients/", import.meta.url))

/**
 * Installs the vendors' clients for Node that package-lock.json pins, once a version of it, and puts the programs of this
 * folder beside them. Resolves to the folder of these programs.
 * @throws when they cannot be had: a run without them would prove nothing.
 */
export async function installNodeClients(): Promise<string> {
  const files = ["package.json", "package-lock.json"]
  const folder = await once("node", files, async (made) => {
    for (const file of files) copyFileSync(join(HERE, file), join(made, file))
    await mustRun("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: made })
  })
  const programs = join(HERE, "programs")
  for (const file of readdirSync(programs)) copyFileSync(join(programs, file), join(folder, file))
  return folder
}

/**
 * Builds the program of go/ with the vendors' clients for Go that go.sum pins, once a version of its files, with the
 * toolchain from the Python registry. Resolves to the program.
 * @param programs where the toolchain's `go` is
 * @throws when it cannot be built
 */
export async function installGoClients(programs: string): Promise<string> {
  const files = ["go.mod", "go.sum", "main.go", "aws.go"]
  const from = join(HERE, "go")
  const folder = await once(
    "go",
    files.map((file) => `go/${file}`),
    async (made) => {
      const [modules, cache] = [join(made, "modules"), join(made, "cache")]
      const env = {
        ...process.env,
        GOTOOLCHAIN: "local",
        GOFLAGS: "-mod=readonly -modcacherw -buildvcs=false",
        GOMODCACHE: modules,
        GOCACHE: cache,
        CGO_ENABLED: "0",
      }
      // Not optimised: it runs for a moment, and compiling it is what takes long.
      const build = ["build", "-gcflags=all=-N -l", "-ldflags=-s -w", "-o", join(made, "clients"), "."]
      await mustRun(join(programs, "go"), build, { cwd: from, env: env as Record<string, string> })
      for (const used of [modules, cache]) rmSync(used, { recursive: true, force: true })
    },
  )
  return join(folder, "clients")
}

/** Makes a folder, once a version of these files of this folder. One that was not finished is made anew. */
async function once(kind: string, files: readonly string[], make: (folder: string) => Promise<void>): Promise<string> {
  const hash = createHash("sha256")
  for (const file of files) hash.update(readFileSync(join(HERE, file)))
  const folder = join(CACHE, kind, hash.digest("hex").slice(0, 16))
  if (existsSync(join(folder, "installed"))) return folder
  rmSync(join(CACHE, kind), { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await make(folder)
  writeFileSync(join(folder, "installed"), "")
  return folder
}
