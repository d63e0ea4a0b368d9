import { rm, writeFile } from "node:fs/promises"
import { isBuiltin } from "node:module"
import { fileURLToPath } from "node:url"
import { build, type Plugin } from "esbuild"
import { licencesOf } from "../scripts/licences.ts"
import { AGE, withoutDiagnostics, withoutSdks, YAML } from "../scripts/replacements.ts"

const ROOM = fileURLToPath(new URL(".", import.meta.url))

/** Gives CommonJS (commander, mute-stream) Node's own modules as imports: an ES module has no `require`. */
const builtinsAsImports: Plugin = {
  name: "builtins-as-imports",
  setup(builder) {
    builder.onResolve({ filter: /^(?:node:)?[a-z_/]+$/ }, ({ path, kind }) =>
      kind === "require-call" && isBuiltin(path) ? { path, namespace: "builtin" } : undefined,
    )
    // Some modules are functions or classes themselves, such as "stream": what `require` gives is the default of the import.
    builder.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = require("default-of:${path}").default`,
    }))
    builder.onResolve({ filter: /^default-of:/ }, ({ path }) => ({
      path: path.slice("default-of:".length),
      namespace: "builtin-default",
    }))
    builder.onLoad({ filter: /.*/, namespace: "builtin-default" }, ({ path }) => ({
      contents: `export { default } from "${path}"`,
    }))
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
    // The second one is started by AWS's tools, for a command that \`exec\` runs.
    entryPoints: { main: "main.ts", "aws-profile": "../action/aws-profile.ts" },
    outdir,
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node20",
    format: "esm",
    alias: { ...YAML, ...AGE },
    charset: "utf8",
    legalComments: "inline",
    logLevel: "warning",
    plugins: [withoutSdks, withoutDiagnostics, builtinsAsImports],
    metafile: true,
  })
  await writeFile(`${outdir}/LICENSES.txt`, licencesOf(metafile))
}

if (import.meta.main) await buildCli()
