import { UNIT_KINDS, UNITS } from "../families/units.ts"
import { ownerOf, shortName } from "../identity.ts"
import { atOnce, type Steps } from "../steps.ts"
import { didYouMean, fault, type Position, quote } from "./faults.ts"
import type { PolicyFault } from "./model.ts"
import { compilePattern, matchPattern, type Pattern } from "./pattern.ts"
import { childOf, itemsOf, textOf, type YamlDocument, type YamlNode } from "./yaml.ts"

interface Place {
  readonly file: string
  readonly at: Position
}

/** Files for one issuer, one environment and the same unit or units: their rules and grants count together. */
interface Scope {
  readonly defined: Map<string, Place>
  readonly used: (Place & { readonly name: string })[]
  /** Issuer, owner and environment: a pattern only covers units within them. */
  readonly realm: string
  /** The unit's name without its owner, or the pattern for several. */
  readonly names: Pattern | null
}

/**
 * Finds grants that rules name but no file defines for their jobs, and grants that are defined twice for the same jobs.
 *
 * A grant in a file with a pattern counts for every unit whose name matches. This reads the parsed documents instead
 * of the compiled policies, so that a fault elsewhere in one file causes no false faults in others.
 */
export function grantNameFaults(
  documents: ReadonlyMap<string, YamlDocument>,
  issuers: readonly string[],
): PolicyFault[] {
  return atOnce(grantNameSteps(documents, issuers))
}

/** The same, with a pause after every file and every scope. */
export function* grantNameSteps(
  documents: ReadonlyMap<string, YamlDocument>,
  issuers: readonly string[],
): Steps<PolicyFault[]> {
  const faults: PolicyFault[] = []
  const scopes = new Map<string, Scope>()
  for (const [file, { root }] of documents) {
    const scope = scopeOf(scopes, root, issuers)
    for (const [name, { at }] of entriesOf(childOf(root, "grants"))) {
      const other = scope.defined.get(name)
      if (other === undefined) scope.defined.set(name, { file, at })
      else faults.push(definedTwice(name, { file, at }, other))
    }
    for (const kind of ["allow", "deny"]) {
      for (const rule of itemsOf(childOf(root, kind))) {
        for (const item of itemsOf(childOf(rule, "grants"))) {
          const name = textOf(item)
          if (name !== null) scope.used.push({ file, at: item.at, name })
        }
      }
    }
    yield
  }
  const wide = wideScopes(scopes.values())
  for (const scope of scopes.values()) {
    const above = wide(scope)
    for (const [name, place] of above.length === 0 ? [] : scope.defined) {
      const other = above.map(({ defined }) => defined.get(name)).find((found) => found !== undefined)
      if (other !== undefined) faults.push(definedTwice(name, place, other))
    }
    for (const { file, at, name } of scope.used) {
      const reaching = [scope, ...above]
      if (reaching.some(({ defined }) => defined.has(name))) continue
      const known = reaching.flatMap(({ defined }) => [...defined.keys()])
      const hint = didYouMean(name, known) || ` Defined: ${known.join(", ") || "none"}.`
      faults.push(fault(file, at, "grant_unknown", `No grant ${quote(name)} is defined for this environment.${hint}`))
    }
    yield
  }
  return faults
}

function definedTwice(name: string, { file, at }: Place, other: Place): PolicyFault {
  const message = `The grant ${quote(name)} of this environment is also defined in ${other.file}, line ${other.at.line}: keep one.`
  return fault(file, at, "grant_duplicate", message)
}

function scopeOf(scopes: Map<string, Scope>, root: YamlNode, issuers: readonly string[]): Scope {
  const text = (key: string) => {
    const node = childOf(root, key)
    return node?.kind === "scalar" ? node.source : null
  }
  const kind = UNIT_KINDS.find((key) => text(key) !== null) ?? "repository"
  const unit = text(kind) ?? ""
  const issuer = text("issuer") ?? issuers[0] ?? null
  const environment = text("environment")
  const isWide = unit.includes("*")
  const key = JSON.stringify([issuer, kind, isWide ? unit : text(UNITS[kind].idKey ?? kind), environment])
  const before = scopes.get(key)
  if (before) return before
  const names = compilePattern(shortName(unit))
  const owner = ownerOf(unit)
  const scope: Scope = {
    defined: new Map(),
    used: [],
    realm: JSON.stringify([issuer, owner, environment]),
    names: names.ok ? names.value : null,
  }
  scopes.set(key, scope)
  return scope
}

/**
 * Finds the scopes whose pattern matches a unit's name: first by the text before the first star, then by the whole
 * pattern.
 */
function wideScopes(scopes: Iterable<Scope>): (of: Scope) => readonly Scope[] {
  const byPrefix = new Map<string, Scope[]>()
  for (const scope of scopes) {
    if (scope.names === null || scope.names.literal !== null) continue
    const key = `${scope.realm}\n${scope.names.prefix}`
    byPrefix.set(key, [...(byPrefix.get(key) ?? []), scope])
  }
  if (byPrefix.size === 0) return () => []
  return ({ realm, names }) => {
    const name = names?.literal ?? null
    if (name === null) return []
    const found: Scope[] = []
    for (let length = 0; length <= name.length; length++) {
      for (const scope of byPrefix.get(`${realm}\n${name.slice(0, length)}`) ?? []) {
        if (scope.names && matchPattern(scope.names, name)) found.push(scope)
      }
    }
    return found
  }
}

function entriesOf(node: YamlNode | undefined): Iterable<[string, { readonly at: Position }]> {
  return node?.kind === "map" ? node.entries : []
}
