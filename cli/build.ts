import { rm, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build, type Plugin } from "esbuild"
import { licencesOf } from "../broker/licences.ts"

const ROOM = fileURLToPath(new URL(".", import.meta.url))
const MODULES = fileURLToPath(new URL("../node_modules/", import.meta.url))

/** Leaves the clouds' SDKs and age out: the command line reads what providers say of policies, and never mints. */
const withoutSdks: Plugin = {
  name: "without-sdks",
  setup(builder) {
    builder.onResolve({ filter: /^(?:@(?:aws-sdk|smithy)\/|age-encryption$)/ }, ({ path }) => ({
      path,
      namespace: "left-out",
    }))
    builder.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "module.exports = {}" }))
  },
}

/**
 * Builds `dist/`, which the package carries instead of the sources: Node strips no types under `node_modules`.
 *
 * In parts, so that what imports node:sqlite is loaded for the audit commands alone: Node 20 has no such module.
 */
export async function buildCli(outdir = `${ROOM}dist`): Promise<void> {
  await rm(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: ROOM,
    entryPoints: ["main.ts"],
    outdir,
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node20",
    format: "esm",
    // Its CommonJS build calls require, which an ES module has not; this is the one that the Worker runs as well.
    alias: { yaml: `${MODULES}yaml/browser/index.js` },
    charset: "utf8",
    legalComments: "inline",
    logLevel: "warning",
    plugins: [withoutSdks],
    metafile: true,
  })
  await writeFile(`${outdir}/LICENSES.txt`, licencesOf(metafile))
}

if (import.meta.main) await buildCli()
