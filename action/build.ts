import { mkdir, rm, writeFile } from "node:fs/promises"
import { relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild"
import { licencesOf } from "../licences.ts"

const ROOM = fileURLToPath(new URL(".", import.meta.url))

/**
 * What the start of a step does not need. Each name is a file in `dist/`, and each list holds the modules that are loaded with
 * `import()`. A file gets all that its modules import, except for what `main.js` or a file above it in this table has already:
 * it takes that from there. So all share one copy of each module, its registered masks and its classes.
 *
 * - `delivery`: loaded while the broker works on its answer, so that reading the file costs no time.
 * - `failed`: the words of failures. Loaded when there is one.
 */
const APART: Readonly<Record<string, readonly string[]>> = {
  delivery: ["delivery.ts", "aws-session.ts"],
  failed: ["report.ts", "refusal.ts", "http-fault.ts", "no-id-token.ts", "proxy.ts", "revocation-answer.ts"],
  files: ["files/deliver.ts"],
  tools: ["files/tools/plan.ts"],
  run: ["run/run.ts"],
}

/**
 * Files that take nothing from others. The post step never loads one that takes something from `main.js`, because `main.js`
 * exchanges. The two helpers are started by programs of later steps.
 */
const ALONE: Readonly<Record<string, string>> = {
  post: "post.ts",
  sweep: "sweep/sweep.ts",
  refresh: "refresh/refresh.ts",
  "aws-profile": "aws-profile.ts",
}

/**
 * CommonJS, because importing node:http into an ES module evaluates all its exports, undici's WebSocket among them, and costs
 * 30 ms at each start. The same sources give the same bytes.
 */
const OPTIONS = {
  absWorkingDir: ROOM,
  outdir: "dist",
  bundle: true,
  platform: "node",
  target: "node24",
  format: "cjs",
  supported: { "dynamic-import": false },
  // With one character beyond Latin-1, V8 keeps and scans the whole file as two bytes a character, at each start.
  charset: "ascii",
  // Modules are strict. A file that is made of several would not say so.
  banner: { js: '"use strict";' },
  legalComments: "inline",
  logLevel: "warning",
  write: false,
  metafile: true,
} as const satisfies BuildOptions

/** Builds `dist/`, which is checked in: a runner installs no packages. @returns the files by name */
export async function buildAction(): Promise<ReadonlyMap<string, Uint8Array>> {
  const parts = await buildParts()
  const alone = await build({ ...OPTIONS, entryPoints: ALONE, plugins: [sweepApart] })
  const licences = licencesOf({
    inputs: {},
    outputs: { ...parts.metafile.outputs, ...alone.metafile.outputs },
  })
  const built = [...parts.outputFiles, ...alone.outputFiles]
  return new Map([
    ...built.map((file) => [file.path.slice(`${ROOM}dist/`.length), file.contents] as const),
    ["package.json", Buffer.from('{ "type": "commonjs" }\n')],
    ...(licences === "" ? [] : [["LICENSES.txt", Buffer.from(licences)] as const]),
  ])
}

async function buildParts() {
  const whole = await build({ ...OPTIONS, entryPoints: ["main.ts"] })
  const ownerOf = ownersOf(whole.metafile)
  const crossing = crossingsOf(whole.metafile, ownerOf)
  const entries = { main: ["main.ts"], ...APART }
  const barrel = ([part, modules]: readonly [string, readonly string[]]) =>
    [...new Set([...modules, ...[...crossing].filter((module) => ownerOf.get(module) === part)])]
      .map((module) => `export * from "./${module}"`)
      .join("\n")
  const barrels = new Map(Object.entries(entries).map((entry) => [entry[0], barrel(entry)]))
  const entryPoints = Object.fromEntries([...barrels.keys()].map((part) => [part, `part:${part}`]))
  return build({ ...OPTIONS, entryPoints, plugins: [partsPlugin(barrels, ownerOf)] })
}

/** Which file of `dist/` holds each module. */
function ownersOf({ inputs }: Metafile): ReadonlyMap<string, string> {
  const owners = new Map<string, string>()
  const give = (module: string, part: string): void => {
    if (owners.has(module)) return
    owners.set(module, part)
    for (const { path, kind, external } of inputs[module]?.imports ?? []) {
      if (!external && kind === "import-statement") give(path, part)
    }
  }
  give("main.ts", "main")
  for (const [part, modules] of Object.entries(APART)) for (const module of modules) give(module, part)
  return owners
}

/** The modules that another file of `dist/` takes something from. */
function crossingsOf({ inputs }: Metafile, ownerOf: ReadonlyMap<string, string>): ReadonlySet<string> {
  const pairs = Object.entries(inputs).flatMap(([from, { imports }]) =>
    imports.filter(({ external }) => !external).map(({ path }) => ({ from, to: path })),
  )
  return new Set(pairs.filter(({ from, to }) => ownerOf.get(from) !== ownerOf.get(to)).map(({ to }) => to))
}

function partsPlugin(barrels: ReadonlyMap<string, string>, ownerOf: ReadonlyMap<string, string>): Plugin {
  return {
    name: "parts",
    setup(builder) {
      builder.onResolve({ filter: /^part:/ }, ({ path }) => ({ path: path.slice("part:".length), namespace: "part" }))
      builder.onLoad({ filter: /.*/, namespace: "part" }, ({ path }) => ({
        contents: barrels.get(path) ?? "",
        resolveDir: ROOM,
        loader: "ts",
      }))
      builder.onResolve({ filter: /^\.\.?\// }, ({ path, importer, resolveDir }) => {
        const from = barrels.has(importer) ? importer : ownerOf.get(relative(ROOM, importer))
        const to = ownerOf.get(relative(ROOM, resolve(resolveDir, path)))
        return to === undefined || from === to ? undefined : { path: `./${to}.js`, external: true }
      })
    },
  }
}

/** The post step loads the sweep only when there is something to look for. */
const sweepApart: Plugin = {
  name: "sweep-apart",
  setup(builder) {
    builder.onResolve({ filter: /\/sweep\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./sweep.js", external: true } : undefined,
    )
  },
}

if (import.meta.main) {
  await rm(`${ROOM}dist`, { recursive: true, force: true })
  await mkdir(`${ROOM}dist`, { recursive: true })
  for (const [name, contents] of await buildAction()) await writeFile(`${ROOM}dist/${name}`, contents)
}
