import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { mustRun } from "./tools.ts"

const CACHE = fileURLToPath(new URL("../../node_modules/.cache/daypass-go/", import.meta.url))

export interface GoProgram {
  readonly name: string
  /** The folder of go.mod. */
  readonly from: string
  /** What the program is built from, in that folder. */
  readonly files: readonly string[]
  /** What is built: `.`, or the path of a package among the modules. */
  readonly package: string
}

/** Shared by the programs of one run: two thirds of what a small one compiles is Go's own library. */
const [MODULES, COMPILED] = [join(CACHE, "modules"), join(CACHE, "compiled")]

/**
 * Builds a program of Go, once a version of its files, with the toolchain in `programs` and nothing but the modules that go.sum
 * has a hash for. Resolves to the program.
 * @throws when it cannot be built
 */
export async function buildWithGo(programs: string, { name, from, files, package: built }: GoProgram): Promise<string> {
  const hash = createHash("sha256")
  for (const file of files) hash.update(readFileSync(join(from, file)))
  const folder = join(CACHE, name, hash.digest("hex").slice(0, 16))
  const program = join(folder, name)
  if (existsSync(join(folder, "installed"))) return program
  rmSync(join(CACHE, name), { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const env = {
    ...process.env,
    GOTOOLCHAIN: "local",
    GOFLAGS: "-mod=readonly -modcacherw -buildvcs=false",
    GOMODCACHE: MODULES,
    GOCACHE: COMPILED,
    CGO_ENABLED: "0",
    // Each of the compiler's processes ends soon. What it would collect goes with it.
    GOGC: "off",
    GOMEMLIMIT: "2GiB",
  }
  // Neither optimised nor described for a debugger: it runs for a moment, and compiling it is what takes long.
  const build = ["build", "-gcflags=all=-N -l -dwarf=false", "-ldflags=-s -w", "-o", program, built]
  await mustRun(join(programs, "go"), build, { cwd: from, env: env as Record<string, string> })
  writeFileSync(join(folder, "installed"), "")
  return program
}

/** Removes what the builds have left: a gigabyte that nothing needs once the programs are there. */
export function discardGoBuilds(): void {
  for (const used of [MODULES, COMPILED]) rmSync(used, { recursive: true, force: true })
}
