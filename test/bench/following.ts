import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { OPERATE_FILE } from "../../broker/adapters/node/operate-file.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { plainShots } from "./exchanges.ts"
import { figuresOf, race, ratioOf } from "./race.ts"
import { atLeast, type Bench, type Section } from "./section.ts"

/** What following the record costs exchanges on Node: against a broker that cannot, because its index cannot be opened. */
export async function measureFollowing(bench: Bench): Promise<Section> {
  const start = async (name: string, isFollowed: boolean) => {
    const data = join(bench.folder, name)
    // A folder in the place of the file. The broker has no setting for this.
    mkdirSync(join(data, ...(isFollowed ? [] : [OPERATE_FILE, "in the way"])), { recursive: true })
    const broker = await startNodeBroker({ policies: bench.policies, data })
    bench.ends.defer(async () => void (await broker.stop()))
    return { url: broker.url, pids: [broker.pid], shots: plainShots(bench, broker.url) }
  }
  const raced = await race(
    bench,
    { followed: await start("followed", true), unfollowed: await start("unfollowed", false) },
    { rounds: bench.long ? 20 : 5 },
  )
  return {
    rows: [
      atLeast(
        "exchange while its record is followed against one that nobody follows",
        ratioOf(raced, "followed", "unfollowed"),
        0.8,
      ),
    ],
    arms: figuresOf(raced),
  }
}
