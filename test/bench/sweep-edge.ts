import { readdirSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { type DueLeases, dueLeases, writeDueLeases } from "../support/due-leases.ts"
import { bundleWorker } from "../support/worker-bundle.ts"
import { plainShots } from "./exchanges.ts"
import type { Bench } from "./section.ts"
import { startWorkerd } from "./workerd-binary.ts"

const POLL_MS = 200
/** The repository of the bench's jobs. */
const UNIT = "41"

/**
 * Leases a second that the alarms of one object end, in workerd's own binary. An exchange makes the object; the leases are
 * written into its database while workerd is stopped; and the next exchange sets the alarm.
 */
export async function measureObject(
  folder: string,
  settings: Readonly<Record<string, string>>,
  due: Omit<DueLeases, "units">,
  bench: Bench,
): Promise<number> {
  const modules = await bundleWorker(bench.policies)
  const start = () =>
    startWorkerd({
      folder,
      modules,
      objects: { LEDGER: "Ledger", KEY_RING: "KeyRing", DIRECTORY: "Directory" },
      texts: (url) => ({ DAYPASS_URL: url, DAYPASS_AUDIENCE: "bench", ...settings }),
      ready: "/healthz",
    })
  const exchange = async (url: string) => void (await bench.load.fire(url, await plainShots(bench, "bench")(1)))
  const first = await start()
  await exchange(first.url).finally(() => first.stop())

  const [file] = readdirSync(join(folder, "objects", "Ledger")).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
  if (file === undefined) throw new Error("workerd has made no ledger's object")
  const path = join(folder, "objects", "Ledger", file)
  const database = new DatabaseSync(path)
  writeDueLeases(new NodeSql(database), await dueLeases([UNIT], due))
  database.close()

  const second = await start()
  const reading = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    const open = reading.prepare(
      "SELECT count(*) AS left FROM leases WHERE state IN ('open', 'active', 'revoking') AND id LIKE 'due %'",
    )
    const from = performance.now()
    await exchange(second.url)
    while (Number(open.get()?.["left"]) > 0) await sleep(POLL_MS)
    return (due.leasesEach * 1000) / (performance.now() - from)
  } finally {
    reading.close()
    await second.stop()
  }
}
