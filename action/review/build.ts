import { mkdir, rm, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { licencesOf } from "../../scripts/licences.ts"
import { AGE, withoutDiagnostics, withoutSdks } from "../../scripts/replacements.ts"

const ROOM = fileURLToPath(new URL(".", import.meta.url))

/**
 * Builds `dist/` of the review, which is checked in: a runner installs no packages. One file, because a review needs nearly all of it.
 * The same sources give the same bytes.
 *
 * @returns the files by name
 */
export async function buildReview(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOM,
    entryPoints: { main: "main.ts" },
    outdir: "dist",
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    // Names stay as they are: people who read the bundle can compare it with the sources.
    minifyWhitespace: true,
    minifySyntax: true,
    charset: "ascii",
    legalComments: "none",
    logLevel: "warning",
    // Only `exec` asks where its file is, to start a program beside it. The review starts none.
    logOverride: { "empty-import-meta": "silent" },
    alias: { ...AGE },
    plugins: [withoutSdks, withoutDiagnostics],
    write: false,
    metafile: true,
  })
  return new Map([
    ...outputFiles.map((file) => [file.path.slice(`${ROOM}dist/`.length), file.contents] as const),
    ["package.json", Buffer.from('{ "type": "commonjs" }\n')],
    ["LICENSES.txt", Buffer.from(licencesOf(metafile))],
  ])
}

if (import.meta.main) {
  const built = await buildReview()
  await rm(`${ROOM}dist`, { recursive: true, force: true })
  await mkdir(`${ROOM}dist`, { recursive: true })
  for (const [name, contents] of built) await writeFile(`${ROOM}dist/${name}`, contents)
}
