import { rm, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build, type Plugin } from "esbuild"
import { licencesOf } from "../../licences.ts"
import { AGE, STS, YAML } from "../../replacements.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/**
 * Leaves out what AWS's SDK has for clients that the broker does not use. Among it is the code that looks for credentials of
 * the machine: in its environment, in `~/.aws`, at its metadata service. A broker without this code cannot find any.
 */
const withoutClients: Plugin = {
  name: "without-clients",
  setup(builder) {
    builder.onResolve({ filter: /^(?:@aws-sdk\/(?:credential-provider-|nested-clients)|bowser$)/ }, ({ path }) => ({
      path,
      namespace: "left-out",
    }))
    builder.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "module.exports = {}" }))
  },
}

/**
 * Loads AWS's SDK with the first session of a role: it is a quarter of what a broker without AWS loads at its start. The source
 * imports it as usual: for an import at run time, the Worker's bundle, which is one file, would keep all of the SDK's exports.
 */
const stsWhenNeeded: Plugin = {
  name: "sts-when-needed",
  setup(builder) {
    builder.onResolve({ filter: /^\.\/sts-client\.ts$/ }, ({ path, kind, resolveDir }) =>
      kind === "import-statement" ? { path, namespace: "when-needed", pluginData: resolveDir } : undefined,
    )
    builder.onLoad({ filter: /.*/, namespace: "when-needed" }, ({ path, pluginData }) => ({
      contents: `export const assumeRole = async (...call) => (await import("${path}")).assumeRole(...call)`,
      resolveDir: pluginData as string,
    }))
  },
}

/**
 * Builds `broker/dist/`: `broker.js` and its parts, with everything that the broker needs on Node 24 or newer. It starts in a
 * third of the time that its sources take. In parts, so that AWS's SDK and age are loaded with the first grant that needs them.
 *
 * Not minified, so that stack traces have names: whitespace costs a start 20 ms.
 */
export async function buildBroker(outdir = `${ROOT}broker/dist`): Promise<void> {
  await rm(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { broker: "broker/entry/built.ts" },
    outdir,
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    alias: { ...YAML, ...AGE, ...STS },
    charset: "utf8",
    legalComments: "inline",
    logLevel: "warning",
    plugins: [withoutClients, stsWhenNeeded],
    metafile: true,
  })
  await writeFile(`${outdir}/LICENSES.txt`, licencesOf(metafile))
}

if (import.meta.main) await buildBroker()
