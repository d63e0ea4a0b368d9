import type { ActionRun } from "./runner.ts"
import type { Misbehaviour } from "./servers.ts"

/** One vendor of the world that flows and the demo play in: its stand-in, and what policies say of it. */
export interface Vendor {
  /** Its key in `VENDORS`, and what tests and the demo call it: `google`, `1password`. */
  readonly name: string
  /** What the job is going to get, for people: `a Google Cloud access token of a service account`. */
  readonly gives: string
  /** Connections by name, as the organisation file would have them. All vendors' stand in one file: no two share a name. */
  readonly connections: Readonly<Record<string, unknown>>
  /** Grants by name, as a policy would have them, in one with all other vendors'. Their names go into the `sub` of identity tokens. */
  readonly grants: Readonly<Record<string, unknown>>
  /** The operator's secrets by the names in `connections`. */
  readonly secrets: Readonly<Record<string, string>>
  /** Files of secrets that the grants name, by path in the policy folder; left out when there are none. */
  readonly files?: Readonly<Record<string, string>>
  /** Has the vendor trust the broker, whose URL is known only once it runs. */
  trust(broker: VendorTrust): void | Promise<void>
  /** What must hold once the job has everything: a sentence each, and whether it does. */
  check(run: ActionRun): readonly Finding[] | Promise<readonly Finding[]>
  /** What must hold once the job has ended. */
  checkEnd(run: ActionRun): readonly Finding[] | Promise<readonly Finding[]>
  /** Makes the next answers fail, for good; `null` mends it. Left out by a vendor whom nobody asks over a network. */
  fail?(how: Misbehaviour | null): void
  /** What was asked, in order, without a secret. */
  readonly requests: readonly string[]
  /** How many credentials that can be taken back were given out and are still good. */
  alive(): number
  /** @throws when it was asked what nobody expected */
  assertClean(): void
  close(): Promise<void>
}

export interface VendorTrust {
  /** The `iss` of the broker's identity tokens. */
  readonly issuer: string
  /** The `sub` of the identity token for one of the grants. */
  subject(grant: string): string
}

export type Finding = readonly [says: string, holds: boolean]

export type StartVendor = () => Promise<Vendor>
