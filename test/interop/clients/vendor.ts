import assert from "node:assert/strict"
import type { ActionRun } from "../../support/runner.ts"
import type { Vendor } from "../../support/vendor.ts"
import type { Check } from "../run.ts"
import type { TestCertificate } from "./tls-front.ts"

/** What a program printed: what each step gave, or the client's own error as `refused`. */
export type Told = Readonly<Record<string, unknown>>

/** What a program gets besides its environment. */
export type Settings = Readonly<Record<string, unknown>>

/** A job to which everything was delivered, and how it runs the vendors' clients. */
export interface Job {
  /** Its variable OTHER_JWT has a good identity token whose audience is none of the vendors. */
  readonly run: ActionRun
  /** For files that a workflow would write itself. */
  readonly folder: string
  /** Each runs a program with the environment that the step delivered, and with `more`, which a workflow would set. */
  node(program: string, settings: Settings, more?: Readonly<Record<string, string>>): Promise<Told>
  python(program: string, settings: Settings, more?: Readonly<Record<string, string>>): Promise<Told>
  go(client: string, settings: Settings, more?: Readonly<Record<string, string>>): Promise<Told>
}

/** A vendor's stand-in with what policies say of it, and the vendor's own clients that use both. */
export interface ClientVendor
  extends Pick<Vendor, "name" | "connections" | "grants" | "secrets" | "trust" | "assertClean" | "close"> {
  /** Runs the clients while the job has its credentials. */
  use(job: Job, check: Check): Promise<void>
  /** Runs them after the post step; left out where nothing could be taken back. */
  useAfter?(job: Job, check: Check): Promise<void>
}

export interface ClientTools {
  readonly certificate: TestCertificate
}

export type StartClientVendor = (tools: ClientTools) => Promise<ClientVendor>

/** Asserts that a step ended with the client's own error, and that it says so. */
export function assertRefused(told: Told, step: string, says: RegExp): void {
  const value = told[step]
  const refused = typeof value === "object" && value !== null && "refused" in value ? value.refused : undefined
  assert.ok(typeof refused === "string", `${step} was not refused: ${JSON.stringify(value)}`)
  assert.match(refused, says)
}

/** A grant of the broker's identity token for an audience, in a variable of the job. */
export const tokenGrant = (audience: string, env: string) => ({ connection: "tokens", audience, env })
