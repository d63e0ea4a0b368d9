// What a bundle owes to those whose code it carries: part of the builds of the action and of the command line.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Metafile } from "esbuild"

const MODULES = fileURLToPath(new URL("../node_modules/", import.meta.url))
/** Dedicated to the public domain: such a package may bring no licence file, and asks for none. */
const FREE_OF_TERMS: ReadonlySet<unknown> = new Set(["Unlicense"])
const PACKAGE = /node_modules\/((?:@[^/]+\/)?[^/]+)\//

const RULE = `\n${"-".repeat(80)}\n\n`

/**
 * The licence texts of all packages that stand in a bundle: most licences let code be passed on only with theirs.
 *
 * @param metafile what esbuild tells of a bundle; sources of which nothing is left in it owe nothing
 * @throws {Error} for a package that brings no licence file, whose code may then not be passed on
 */
export function licencesOf(metafile: Metafile): string {
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : [])),
  )
  const names = new Set(inputs.flatMap((input) => PACKAGE.exec(input)?.[1] ?? []))
  const texts = [...names].sort().map((name) => {
    const folder = join(MODULES, name)
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
    if (file === undefined && FREE_OF_TERMS.has(license)) return `${name} ${version}\n\n${license}\n`
    if (file === undefined) throw new Error(`the package ${name} is bundled and has no licence file`)
    return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim()}\n`
  })
  return texts.join(RULE)
}

/** The packages that stand in a bundle, as `NAME@VERSION`, by the licence texts that `licencesOf` made of it. */
export function packagesIn(licences: string): string[] {
  return licences === "" ? [] : licences.split(RULE).map((text) => (text.split("\n")[0] ?? "").replace(" ", "@"))
}
