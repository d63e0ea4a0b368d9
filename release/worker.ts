import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { buildWorker, METAFILE, POLICIES_MODULE, policiesModule } from "../broker/entry/build-worker.ts"
import { licencesOf } from "../scripts/licences.ts"
import { ROOT } from "./place.ts"

/**
 * Fills a folder with the Worker: its modules in `worker/`, and the `wrangler.toml` that deploys them as they are. It holds no
 * policies, and takes them from Workers KV: so one build is everybody's.
 */
export async function layOutWorker(folder: string): Promise<void> {
  const modules = join(folder, "worker")
  await mkdir(modules, { recursive: true })
  await writeFile(join(modules, POLICIES_MODULE), policiesModule(null))
  await buildWorker(modules)
  const licences = licencesOf(JSON.parse(await readFile(join(modules, METAFILE), "utf8")))
  await rm(join(modules, METAFILE))
  await writeFile(join(folder, "LICENSES.txt"), licences)
  await copyFile(join(ROOT, "release/wrangler.toml"), join(folder, "wrangler.toml"))
  await copyFile(join(ROOT, "LICENSE"), join(folder, "LICENSE"))
}
