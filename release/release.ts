// `npm run release -- --out DIR [--tag vX.Y.Z]`: makes the files of a release from this checkout. The release workflow and the
// rehearsal run the same script.
import { createHash } from "node:crypto"
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { layOutAction } from "./action.ts"
import { writeArchive } from "./archive.ts"
import { layOutImage } from "./image.ts"
import { notesOf, versionOfTag } from "./notes.ts"
import { packCommandLine } from "./package.ts"
import { ROOT, readSource } from "./place.ts"
import { billOfMaterials } from "./sbom.ts"
import { layOutWorker } from "./worker.ts"

/** One file of a release, as the report shows it. */
export interface Artefact {
  readonly path: string
  readonly bytes: number
}

/**
 * Makes a release below `out`, which must not exist: `assets/` is what people download, with `SHA256SUMS`; `image/` is what the
 * container image is built from. The same commit gives the same bytes.
 */
export async function makeRelease(
  out: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Artefact[]> {
  const source = await readSource(env)
  // npm packs the modes of files as they are.
  process.umask(0o022)
  const [assets, image] = [join(out, "assets"), join(out, "image")]
  await mkdir(out)
  await mkdir(assets)
  const scratch = await mkdtemp(join(tmpdir(), "daypass-release-"))
  try {
    const at = (name: string) => join(scratch, name)
    const name = (part: string) => `daypass-${part}-${source.version}`
    const [tarball] = await Promise.all([
      packCommandLine(assets, at("package")),
      layOutWorker(at("worker")),
      layOutAction(at("action")),
    ])
    await writeArchive(join(assets, `${name("worker")}.tar.gz`), at("worker"), name("worker"), source)
    await writeArchive(join(assets, `${name("action")}.tar.gz`), at("action"), name("action"), source)
    await layOutImage(image, at("package/daypass"), scratch, source)
    const licences = new Map([
      [tarball, await textsOf(at("package"))],
      [`${name("worker")}.tar.gz`, await textsOf(at("worker"))],
      [`${name("action")}.tar.gz`, await textsOf(at("action"))],
    ])
    await writeFile(join(assets, `daypass-${source.version}.cdx.json`), await billOfMaterials(licences, source))
    await writeFile(join(assets, "SHA256SUMS"), await sumsOf(assets))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return [...(await artefactsIn(assets)), ...(await artefactsIn(image))]
}

async function textsOf(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true })
  const texts = files.filter((file) => file.endsWith("LICENSES.txt")).sort()
  return Promise.all(texts.map((file) => readFile(join(folder, file), "utf8")))
}

/** In the form that `sha256sum --check` reads. */
async function sumsOf(folder: string): Promise<string> {
  const lines = (await readdir(folder)).sort().map(async (name) => {
    const sum = createHash("sha256")
      .update(await readFile(join(folder, name)))
      .digest("hex")
    return `${sum}  ${name}\n`
  })
  return (await Promise.all(lines)).join("")
}

async function artefactsIn(folder: string): Promise<Artefact[]> {
  const names = (await readdir(folder)).sort()
  return Promise.all(names.map(async (name) => ({ path: name, bytes: (await stat(join(folder, name))).size })))
}

/** The report of a release: each file with its size. */
export function reportOf(artefacts: readonly Artefact[]): string {
  return artefacts.map(({ path, bytes }) => `${bytes.toLocaleString("en").padStart(12)}  ${path}`).join("\n")
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string" }, tag: { type: "string" } } })
  if (values.out === undefined) throw new Error("usage: npm run release -- --out DIR [--tag vX.Y.Z]")
  const out = resolve(values.out)
  // Said before anything is made: a release whose tag and notes do not fit must not get half way.
  const { version } = await readSource(process.env)
  const notes =
    values.tag === undefined
      ? null
      : notesOf(await readFile(join(ROOT, "CHANGELOG.md"), "utf8"), versionOfTag(values.tag, version))
  console.log(reportOf(await makeRelease(out, process.env)))
  if (notes !== null) await writeFile(join(out, "notes.md"), notes)
}
