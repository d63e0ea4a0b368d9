import { mkdir, rename } from "node:fs/promises"
import { join } from "node:path"
import { buildBroker } from "../broker/entry/build.ts"
import { buildCli } from "../cli/build.ts"
import { run } from "./place.ts"

/**
 * Packs the command line with the broker for Node inside, as npm publishes it. `folder` gets its content, too.
 * @returns the name of the tarball below `assets`
 */
export async function packCommandLine(assets: string, folder: string): Promise<string> {
  await Promise.all([buildCli(), buildBroker()])
  // Without its scripts, which would build again.
  const told = await run("npm", "pack", "--ignore-scripts", "--json", "--pack-destination", assets)
  const [packed] = JSON.parse(told)
  await mkdir(folder, { recursive: true })
  await run("tar", "--extract", `--file=${join(assets, packed.filename)}`, `--directory=${folder}`)
  await rename(join(folder, "package"), join(folder, "daypass"))
  return packed.filename
}
