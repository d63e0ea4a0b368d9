import { mkdir, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build, type Plugin } from "esbuild"
import { licencesOf } from "../licences.ts"

const ROOM = fileURLToPath(new URL(".", import.meta.url))

/**
 * Lets go of what the action does not use of the toolkit: its package does not declare that importing it has no effect,
 * and brings an HTTP client, undici and a process runner along.
 */
const toolkitWithoutSideEffects: Plugin = {
  name: "toolkit-without-side-effects",
  setup(builder) {
    builder.onResolve({ filter: /.*/ }, async ({ path, pluginData, importer, kind, resolveDir }) => {
      const fromToolkit = importer.includes("/node_modules/@actions/")
      if (pluginData === "resolving" || !(path.startsWith("@actions/") || fromToolkit)) return undefined
      const found = await builder.resolve(path, { importer, kind, resolveDir, pluginData: "resolving" })
      return { ...found, sideEffects: false }
    })
  },
}

/**
 * Builds `dist/main.js` and `dist/post.js`, which the repository carries: a runner installs nothing. CommonJS, because
 * importing node:http into an ES module evaluates all its exports, undici's WebSocket among them, at 30 ms a start.
 * The same sources give the same bytes. @returns the files by name
 */
export async function buildAction(): Promise<ReadonlyMap<string, Uint8Array>> {
  const result = await build({
    absWorkingDir: ROOM,
    entryPoints: ["main.ts", "post.ts"],
    outdir: "dist",
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    supported: { "dynamic-import": false },
    charset: "utf8",
    legalComments: "inline",
    logLevel: "warning",
    plugins: [toolkitWithoutSideEffects],
    write: false,
    metafile: true,
  })
  const built = result.outputFiles.map((file) => [file.path.slice(`${ROOM}dist/`.length), file.contents] as const)
  const written = { "package.json": '{ "type": "commonjs" }\n', "LICENSES.txt": licencesOf(result.metafile) }
  return new Map([...built, ...Object.entries(written).map(([name, text]) => [name, Buffer.from(text)] as const)])
}

if (import.meta.main) {
  await mkdir(`${ROOM}dist`, { recursive: true })
  for (const [name, contents] of await buildAction()) await writeFile(`${ROOM}dist/${name}`, contents)
}
