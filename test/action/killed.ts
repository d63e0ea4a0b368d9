import type { ActionRun } from "../support/runner.ts"
import { type Expected, problem, type Reply } from "../support/scripted-broker.ts"
import { play } from "./story.ts"

export const GONE = problem(404, "lease_not_found", "No such lease for this job.")

/** A value that arrives as a file, so that a folder is there to be left behind. */
export const KEY = { value: "-----KEY-----\nabc\n", secret: true, env: "TLS_KEY", file: { mode: "0400" } }

/** A request that is never answered, and a promise of its arrival. */
export function held(on: Expected["on"]): { readonly request: Expected; readonly arrived: Promise<void> } {
  const { promise: arrived, resolve } = Promise.withResolvers<void>()
  const when = () => {
    resolve()
    return new Promise<Reply>(() => undefined)
  }
  return { request: { on, reply: { when } }, arrived }
}

export interface SavedLease {
  readonly id: string
  readonly expiresAt: string | null
}

/** What a killed step saved for the post step. */
export const savedLeases = ({ state }: ActionRun): readonly SavedLease[] =>
  state["lease"] ? (JSON.parse(state["lease"]) as { leases: SavedLease[] }).leases : []

/** Runs the post step with the state that a killed step left, against another broker. */
export async function post(
  main: ActionRun,
  script: readonly Expected[],
  step: Parameters<typeof play>[1] & { readonly temp: string },
) {
  const state = (origin: string) => {
    const home = main.state["lease"] ? { ...JSON.parse(main.state["lease"]), broker: origin, audience: origin } : null
    return { ...main.state, ...(home && { lease: JSON.stringify(home) }) }
  }
  const story = await play(script, { entry: "post", state, ...step })
  const revocations = story.requests.filter((line) => line.startsWith("DELETE")).map((line) => line.split(" ")[1])
  return { run: story.run, revocations }
}

export const pathOf = ({ id }: SavedLease) => `/v1/leases/${id}`
