import { createHash } from "node:crypto"
import { packagesIn } from "../scripts/licences.ts"
import { run, type Source } from "./place.ts"

interface Property {
  readonly name: string
  readonly value: string
}

interface Component {
  readonly "bom-ref": string
  readonly properties: readonly Property[]
}

/** What `npm sbom` says of this checkout's packages: CycloneDX, https://cyclonedx.org/specification/overview/ */
interface Inventory {
  readonly metadata: { readonly component: Component }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
}

/**
 * The software bill of materials: of all packages that this checkout installs, those whose code is in a bundle. npm's own
 * inventory with `--omit=dev` would be empty, because everything is bundled and nothing is installed with it.
 *
 * @param licences the licence texts of each artefact's bundles, by the artefact's name
 * @throws {Error} for a package in a bundle that npm does not know
 */
export async function billOfMaterials(
  licences: ReadonlyMap<string, readonly string[]>,
  source: Source,
): Promise<string> {
  const inventory: Inventory = JSON.parse(await run("npm", "sbom", "--sbom-format", "cyclonedx"))
  return `${JSON.stringify(shipped(inventory, partsOf(licences), source), null, 2)}\n`
}

/** Which artefacts each package is in, by `NAME@VERSION`. */
function partsOf(licences: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
  const parts = new Map<string, string[]>()
  for (const [artefact, texts] of licences) {
    for (const name of new Set(texts.flatMap(packagesIn))) parts.set(name, [...(parts.get(name) ?? []), artefact])
  }
  return parts
}

/** The inventory of what is shipped. */
export function shipped(
  { metadata, components, dependencies, ...rest }: Inventory,
  parts: ReadonlyMap<string, readonly string[]>,
  { version, time }: Source,
): object {
  const known = new Set(components.map((component) => component["bom-ref"]))
  const unknown = [...parts.keys()].filter((name) => !known.has(name))
  if (unknown.length > 0) throw new Error(`npm sbom does not know ${unknown.join(", ")}, which is in a bundle`)
  const root = metadata.component["bom-ref"]
  const bill = {
    ...rest,
    metadata: {
      ...metadata,
      timestamp: new Date(time * 1000).toISOString(),
      component: { ...metadata.component, type: "application", name: "daypass", version },
    },
    components: components
      .filter((component) => parts.has(component["bom-ref"]))
      .map((component) => ({
        ...component,
        properties: (parts.get(component["bom-ref"]) ?? []).map((value) => ({ name: "daypass:artefact", value })),
      })),
    dependencies: [
      { ref: root, dependsOn: [...parts.keys()].sort() },
      ...dependencies
        .filter(({ ref }) => parts.has(ref))
        .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => parts.has(one)) })),
    ],
  }
  return { ...bill, serialNumber: serialNumberOf(JSON.stringify({ ...bill, serialNumber: "" })) }
}

/** A UUID of version 8 (RFC 9562) of the text, where npm draws one: the same release has the same number. */
function serialNumberOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex")
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
