import { openNodeStore } from "../adapters/node/ledgers.ts"
import { sha256 } from "../adapters/node/sha256.ts"
import { type DatabaseAddress, optionFault, readDatabaseAddress } from "../adapters/postgres/address.ts"
import { fail, ok, type Result } from "../core/result.ts"
import type { Log } from "../ports/log.ts"
import type { NodeStore } from "../ports/node-store.ts"

/** Where a broker on Node keeps its ledger and its keys. */
export type StorePlace =
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "database"; readonly address: DatabaseAddress }

interface Given {
  /** Of `--data`. */
  readonly data: string | undefined
  /** Of `--store`. */
  readonly store: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Reads where the store is. A password on a command line is refused. */
export function readStorePlace({ data, store, env }: Given): Result<StorePlace, string> {
  const url = store ?? env["DAYPASS_STORE"]
  if (!url) return data ? ok({ kind: "folder", folder: data }) : fail("--data or --store is required.")
  if (data) return fail("--data and --store exclude each other: choose the folder or the database.")
  const fault = store === undefined ? null : optionFault("--store", store)
  if (fault !== null) return fail(`${fault}.`)
  const address = readDatabaseAddress(url, env["PGPASSWORD"])
  if (!address.ok) return fail(`${store === undefined ? "DAYPASS_STORE" : "--store"} ${address.fault}.`)
  return ok({ kind: "database", address: address.value })
}

/** @throws {BrokerError} `ledger_unavailable` when the store cannot be used */
export async function openStore(place: StorePlace, deployment: string, log: Log): Promise<NodeStore> {
  if (place.kind === "folder") return openNodeStore(place.folder, { log })
  // Loaded here: a broker with a folder starts without the driver.
  const { openPostgresStore } = await import("../adapters/postgres/ledgers.ts")
  return openPostgresStore(place.address, { deployment, sha256, log })
}
