import { createHash } from "node:crypto"
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** What is built or installed: no part of the sources. */
const BUILT = /(?:^|\/)(?:dist|node_modules)\//

const made = new Map<string, Promise<string>>()

/**
 * The folder that `make` fills, kept in this checkout and made once for each state of the sources, for every process of a run
 * and for later runs: building takes seconds, and its result depends on the sources alone. `sources` are globs.
 */
export function builtOnce(
  name: string,
  sources: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = made.get(name) ?? keep(name, sources, make)
  made.set(name, folder)
  return folder
}

async function keep(name: string, sources: readonly string[], make: (folder: string) => Promise<void>) {
  const cache = join(ROOT, "node_modules/.cache", name)
  const version = createHash("sha256")
  for (const file of sources.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort()) {
    if (!BUILT.test(file)) version.update(`${file}\0`).update(readFileSync(join(ROOT, file)))
  }
  const built = join(cache, version.digest("hex").slice(0, 16))
  if (existsSync(built)) return built
  mkdirSync(cache, { recursive: true })
  const making = mkdtempSync(join(cache, "making-"))
  await make(making)
  try {
    renameSync(making, built)
  } catch {
    // Another process was first; what it made is the same.
    rmSync(making, { recursive: true, force: true })
  }
  return built
}
