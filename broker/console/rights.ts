import { OPERATOR_RIGHTS, type OperatorRight } from "../core/operator-rights.ts"
import type { Session } from "./session.ts"

/**
 * The pages that the top of every page leads to. One of the rights opens a page; for a person who has none of them, it does not
 * exist.
 */
export const PAGES = [
  { path: "/console", name: "Now", rights: OPERATOR_RIGHTS.filter((right) => right !== "metrics.read") },
  { path: "/console/search", name: "Search", rights: ["audit.read"] },
  { path: "/console/units", name: "Units", rights: ["audit.read", "leases.read", "policies.read"] },
  { path: "/console/stops", name: "Stops", rights: ["stop", "audit.read", "leases.read", "policies.read"] },
  { path: "/console/verify", name: "Verify", rights: ["audit.read"] },
] as const satisfies readonly {
  readonly path: string
  readonly name: string
  readonly rights: readonly OperatorRight[]
}[]

export type PagePath = (typeof PAGES)[number]["path"]

export const may = ({ operator }: Session, ...rights: readonly OperatorRight[]): boolean =>
  rights.some((right) => operator.may.has(right))

export const mayRead = (session: Session, at: PagePath): boolean =>
  PAGES.some(({ path, rights }) => path === at && may(session, ...rights))
