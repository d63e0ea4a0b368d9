import { mkdir, rm, writeFile } from "node:fs/promises"
import { relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild"
import { licencesOf } from "../scripts/licences.ts"

const ROOM = fileURLToPath(new URL(".", import.meta.url))

/**
 * The files of `dist/`, and the modules with which each is entered. A file gets all that these import, except for what a file
 * above it in this table has already: it takes that from there. So all share one copy of each module, its registered masks and
 * its classes. A file whose modules are loaded with `import()` is read only when something needs it.
 *
 * - `start`: what the first request needs, for every process of a job.
 * - `main`, `post`, `renew`, `aws-profile`: programs. No other file takes anything from them, because they act when they are
 *   loaded. The last two are started by tools of later steps and of commands, and `renewal` asks the broker for `renew`.
 * - `disk`: small, for those that need it without the rest.
 * - `delivery`: loaded while the broker works on its answer, so that reading the file costs no time.
 * - `failed`, `advice`: the words of failures. Loaded when there is one.
 */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  start: ["exchange.ts"],
  main: ["main.ts"],
  post: ["post.ts"],
  disk: ["disk/safe-file.ts", "renewal/place.ts"],
  shared: ["revoke-lease.ts", "outcomes.ts", "time.ts", "fingerprints/record.ts", "job-folder.ts", "renewal/leases.ts"],
  advice: ["advice.ts"],
  revoke: ["revoke.ts"],
  delivery: ["delivery.ts"],
  failed: ["report.ts", "refusal.ts", "http-fault.ts", "no-id-token.ts", "proxy.ts", "revocation-answer.ts"],
  "command-line": ["clouds/command-line.ts"],
  files: ["files/deliver.ts"],
  tools: ["files/tools/plan.ts"],
  run: ["run/run.ts"],
  sweep: ["leaks.ts"],
  kept: ["renewal/current.ts"],
  renew: ["renewal/renew.ts"],
  renewal: ["renewal/exchange.ts"],
  "aws-profile": ["aws-profile.ts"],
}

const PROGRAMS = ["main", "post", "renew", "aws-profile"]

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

/**
 * Builds `dist/`, which is checked in: a runner installs no packages.
 * @param isReadable leaves the layout of the sources, with the name of each module above it
 * @returns the files by name
 */
export async function buildAction(isReadable = false): Promise<ReadonlyMap<string, Uint8Array>> {
  const options = { ...OPTIONS, minifyWhitespace: !isReadable, minifySyntax: !isReadable }
  const entries = Object.values(PARTS).flat()
  const { metafile } = await build({ ...options, entryPoints: entries })
  const ownerOf = ownersOf(metafile)
  const crossing = crossingsOf(metafile, ownerOf)
  const taken = [...crossing].find((module) => PROGRAMS.includes(ownerOf.get(module) ?? ""))
  if (taken !== undefined) throw new Error(`${taken} would act twice: list it in a part that is no program`)
  const barrel = ([part, modules]: readonly [string, readonly string[]]) =>
    [...new Set([...modules, ...[...crossing].filter((module) => ownerOf.get(module) === part)])]
      .map((module) => `export * from "./${module}"`)
      .join("\n")
  const barrels = new Map(Object.entries(PARTS).map((entry) => [entry[0], barrel(entry)]))
  const entryPoints = Object.fromEntries([...barrels.keys()].map((part) => [part, `part:${part}`]))
  const parts = await build({ ...options, entryPoints, plugins: [partsPlugin(barrels, ownerOf)] })
  const licences = licencesOf(parts.metafile)
  return new Map([
    ...parts.outputFiles.map((file) => [file.path.slice(`${ROOM}dist/`.length), file.contents] as const),
    ["package.json", Buffer.from('{ "type": "commonjs" }\n')],
    ...(licences === "" ? [] : [["LICENSES.txt", Buffer.from(licences)] as const]),
  ])
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
  for (const [part, modules] of Object.entries(PARTS)) for (const module of modules) give(module, part)
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

if (import.meta.main) {
  await rm(`${ROOM}dist`, { recursive: true, force: true })
  await mkdir(`${ROOM}dist`, { recursive: true })
  for (const [name, contents] of await buildAction()) await writeFile(`${ROOM}dist/${name}`, contents)
}
