import { BrokerError } from "../core/errors.ts"
import { covers } from "../core/operator-scope.ts"
import type { Organisation } from "../core/policy/model.ts"
import type { OperateServices } from "../http/operate/routing.ts"
import type { Operators } from "../operate/operator.ts"
import type { LedgerEntry, LedgerKey } from "../ports/directory.ts"
import type { Analysis } from "./analysis.ts"
import { type Html, html, type Shown } from "./html.ts"
import type { Session } from "./session.ts"

export interface ConsoleServices extends OperateServices {
  readonly operators: Operators
  readonly analysis: Analysis
}

/** What a page is made for. */
export interface View {
  readonly session: Session
  readonly services: ConsoleServices
  readonly query: URLSearchParams
}

/** What a page shows below its top. */
export interface Content {
  readonly title: string
  readonly body: Shown
}

export type PageLoader = (view: View) => Promise<Content>

/** How long a page waits for one of its parts. */
const PART_TIMEOUT_MS = 5000

/** A part of a page that was read, or a sentence that says why not. */
export type Part<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly fault: string }

/**
 * Reads one part of a page. A part that fails or takes too long is told on the page, and the others are still shown: a console
 * that is blank in an incident helps nobody. What does not exist for the person is no such fault, and is thrown on.
 *
 * @param what the part, as a sentence begins: `The search`
 */
export async function part<Value>(what: string, load: () => Promise<Value>): Promise<Part<Value>> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<Part<Value>>((resolve) => {
    const fault = `${what} did not answer within ${PART_TIMEOUT_MS / 1000} seconds. The rest of this page is complete.`
    timer = setTimeout(() => resolve({ ok: false, fault }), PART_TIMEOUT_MS)
  })
  const loading = (async () => load())().then(
    (value): Part<Value> => ({ ok: true, value }),
    (error: unknown): Part<Value> => {
      if (error instanceof BrokerError && error.code === "not_allowed") throw error
      const detail = error instanceof BrokerError ? error.detail : "the broker failed unexpectedly; its log says where."
      return { ok: false, fault: `${what} cannot be shown: ${detail}` }
    },
  )
  try {
    return await Promise.race([loading, late])
  } finally {
    if (timer !== null) clearTimeout(timer)
  }
}

/** A notice of what cannot be shown. */
export const faultNote = (read: Part<unknown> | null): Html | null =>
  read === null || read.ok ? null : note("warn", read.fault)

export const note = (tone: "warn" | "bad" | "good", text: Shown): Html =>
  html`<div class="note ${tone}"><p>${text}</p></div>`

/** The ledger that a query names, as far as it is known; null for one that it does not name. */
export async function ledgerOf({ query, services }: View): Promise<LedgerEntry | null> {
  const [issuerUrl, unitId] = [query.get("issuer") ?? "", query.get("id") ?? ""]
  if (issuerUrl === "" || unitId === "") return null
  const key: LedgerKey = { issuerUrl, unitId }
  // A directory that is lost must not hide a unit: its ledger is found by the ids alone.
  const found = await part("The directory", async () => await services.directory?.entry(key))
  if (found.ok && found.value) return found.value
  return {
    ...key,
    seq: 1,
    chain: "",
    latestAt: 0,
    openLeases: 0,
    unit: null,
    unitKind: null,
    owner: null,
    ownerId: null,
  }
}

/** Whether the session's scope covers a unit as a whole, or what was granted to it through connections. */
export const sees = (
  { operator }: Session,
  { issuerUrl, unitId, ownerId }: Pick<LedgerEntry, "issuerUrl" | "unitId" | "ownerId">,
  { issuers }: Organisation,
  connections?: readonly string[],
): boolean =>
  covers(
    operator.scope,
    { issuerUrl, unitId, ownerId: ownerId ?? "", ...(connections === undefined ? {} : { connections }) },
    issuers,
  )

/** The name of an issuer in the organisation file, or its URL. */
export const issuerName = (url: string, { issuers }: Organisation): string =>
  [...issuers.values()].find((issuer) => issuer.url === url)?.name ?? url

export const scroll = (label: string, table: Html): Html =>
  html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${table}</div>`
