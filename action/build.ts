import { mkdir, writeFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
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

/**
 * Rooms that most steps do not need. Each is a file of its own in `dist/`, which `import()` loads at run time. It holds what
 * its entry needs of the room, and takes everything else of the action from `main.js`, which exports it. What is not of the
 * action, which is data and pure functions of `broker/wire/`, is in each file that uses it.
 */
const APART: Readonly<Record<string, string>> = {
  run: "run/run.ts",
  sweep: "sweep/sweep.ts",
  tools: "files/tools/plan.ts",
  files: "files/deliver.ts",
  refresh: "refresh/refresh.ts",
}

/** A room is the folder of its entry. Longest first, because one room can be a folder of another. */
const ROOMS = Object.entries(APART)
  .map(([name, entry]) => ({ name, folder: `${ROOM}${dirname(entry)}/` }))
  .sort((one, other) => other.folder.length - one.folder.length)

/** Pure code that is in each bundle that needs it: the sweep is loaded by the post step, which has no `main.js`. */
const IN_EACH = `${ROOM}fingerprints/`

const roomsApart: Plugin = {
  name: "rooms-apart",
  setup(builder) {
    const roomOf = (file: string) => ROOMS.find(({ folder }) => file.startsWith(folder))?.name
    builder.onResolve({ filter: /^\.\.?\// }, ({ path, importer, resolveDir }) => {
      const target = resolve(resolveDir, path)
      const [from, to] = [roomOf(importer), roomOf(target)]
      const isOfTheAction = target.startsWith(ROOM) && !target.startsWith(IN_EACH)
      if (importer === "" || from === to || !isOfTheAction) return undefined
      return { path: `./${to ?? "main"}.js`, external: true }
    })
  },
}

/**
 * Builds `dist/`, which is checked in: a runner installs no packages. The format is CommonJS, because importing node:http into
 * an ES module evaluates all its exports, undici's WebSocket among them, and costs 30 ms at each start. The same sources give
 * the same bytes. @returns the files by name
 */
export async function buildAction(): Promise<ReadonlyMap<string, Uint8Array>> {
  const result = await build({
    absWorkingDir: ROOM,
    entryPoints: { main: "main.ts", post: "post.ts", "aws-profile": "aws-profile.ts", ...APART },
    outdir: "dist",
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    supported: { "dynamic-import": false },
    // With one character beyond Latin-1, V8 keeps and scans the whole file as two bytes a character, at each start.
    charset: "ascii",
    legalComments: "inline",
    logLevel: "warning",
    plugins: [roomsApart, toolkitWithoutSideEffects],
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
