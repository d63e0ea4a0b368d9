import { mkdir, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build, type Plugin } from "esbuild"
import { licencesOf } from "../licences.ts"

const ROOM = fileURLToPath(new URL(".", import.meta.url))

/**
 * Marks the toolkit's modules as free of side effects, so that esbuild drops the unused ones. The toolkit's package does not
 * declare this itself, and would bring an HTTP client, undici and a process runner into the bundle.
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

/** `main.js` loads `run.js` at run time, and only for a step with `run`. */
const runApart: Plugin = {
  name: "run-apart",
  setup(builder) {
    builder.onResolve({ filter: /^\.\/run\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./run.js", external: true } : undefined,
    )
  },
}

/**
 * Builds `dist/main.js`, `dist/run.js`, `dist/post.js` and `dist/aws-profile.js`, which are checked in: a runner installs no packages. The format is CommonJS,
 * because importing node:http into an ES module evaluates all its exports, undici's WebSocket among them, and costs 30 ms
 * at each start. The same sources give the same bytes. @returns the files by name
 */
export async function buildAction(): Promise<ReadonlyMap<string, Uint8Array>> {
  const result = await build({
    absWorkingDir: ROOM,
    entryPoints: ["main.ts", "run.ts", "post.ts", "aws-profile.ts"],
    outdir: "dist",
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    supported: { "dynamic-import": false },
    charset: "utf8",
    legalComments: "inline",
    logLevel: "warning",
    plugins: [runApart, toolkitWithoutSideEffects],
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
