import type { Claims } from "../../core/identity.ts"
import { disagree } from "../claim-checks.ts"

/**
 * Compares the parts of `sub` with the claims that have the same values. Returns a sentence when they disagree, else null.
 *
 * The default is `project_path:G/P:ref_type:T:ref:R`. A project's maintainers can choose other components, in this order or
 * another, so its text never decides. No value that is compared can contain a colon: neither paths nor refs can.
 */
export function faultOfSubject(subject: string, claims: Claims): string | null {
  const parts = subject.split(":")
  if (parts[0] !== "project_path") return null
  for (let at = 0; at < parts.length; at += 2) {
    const [name, value] = [parts[at], parts[at + 1]]
    // What follows a component that is not known may have colons of its own.
    if (name === undefined || !COMPARED.has(name)) return null
    if (value !== claims[name]) return disagree("sub", name)
  }
  return null
}

const COMPARED: ReadonlySet<string> = new Set(["project_path", "ref_type", "ref"])
