import { didYouMean, fault, type Position, quote } from "./faults.ts"
import type { PolicyFault } from "./model.ts"
import { childOf, itemsOf, textOf, type YamlDocument, type YamlNode } from "./yaml.ts"

/** Files that speak of one issuer, repository and environment: their rules and grants are one. */
interface Scope {
  readonly defined: Map<string, { readonly file: string; readonly at: Position }>
  readonly used: { readonly file: string; readonly at: Position; readonly name: string }[]
}

/**
 * Finds grants that are named but not defined in their scope, and those that are defined in it twice.
 *
 * Reads the documents, not what was compiled of them, so that a fault elsewhere in a file does not make others seem wrong.
 */
export function grantNameFaults(
  documents: ReadonlyMap<string, YamlDocument>,
  issuers: readonly string[],
): PolicyFault[] {
  const faults: PolicyFault[] = []
  const scopes = new Map<string, Scope>()
  for (const [file, { root }] of documents) {
    const key = scopeOf(root, issuers)
    const scope: Scope = scopes.get(key) ?? { defined: new Map(), used: [] }
    scopes.set(key, scope)
    for (const [name, { at }] of entriesOf(childOf(root, "grants"))) {
      const other = scope.defined.get(name)
      if (other === undefined) scope.defined.set(name, { file, at })
      else {
        const message = `The grant ${quote(name)} of this environment is defined in ${other.file}, line ${other.at.line}, too: keep one.`
        faults.push(fault(file, at, "grant_duplicate", message))
      }
    }
    for (const kind of ["allow", "deny"]) {
      for (const rule of itemsOf(childOf(root, kind))) {
        for (const item of itemsOf(childOf(rule, "grants"))) {
          const name = textOf(item)
          if (name !== null) scope.used.push({ file, at: item.at, name })
        }
      }
    }
  }
  for (const { defined, used } of scopes.values()) {
    for (const { file, at, name } of used) {
      if (defined.has(name)) continue
      const known = [...defined.keys()]
      const hint = didYouMean(name, known) || ` Defined: ${known.join(", ") || "none"}.`
      faults.push(fault(file, at, "grant_unknown", `No grant ${quote(name)} is defined for this environment.${hint}`))
    }
  }
  return faults
}

function scopeOf(root: YamlNode, issuers: readonly string[]): string {
  const text = (key: string) => {
    const node = childOf(root, key)
    return node?.kind === "scalar" ? node.source : null
  }
  return JSON.stringify([text("issuer") ?? issuers[0] ?? null, text("repository_id"), text("environment")])
}

function entriesOf(node: YamlNode | undefined): Iterable<[string, { readonly at: Position }]> {
  return node?.kind === "map" ? node.entries : []
}
