import type { PolicyFolder } from "../adapters/node/policy-folder.ts"
import type { Clock } from "../ports/clock.ts"
import type { Health, HealthCheck } from "../ports/health.ts"
import type { Log } from "../ports/log.ts"
import type { Notice, NoticeListener } from "../ports/notices.ts"

/** Longer than a rollout of one change takes: until then, it is normal that brokers differ. */
const DIFFER_MS = 5 * 60_000
/** A broker tells its version each minute. One that missed three has ended. */
const FORGET_MS = 3 * 60_000 + 10_000
/** A network folder shows another machine's change late: NFS keeps what it knows of a file for 3 seconds by default. */
const LOOK_AGAIN_MS = 3500
/** Whoever can write to the database can invent brokers. */
const MOST_BROKERS = 1000

/**
 * Listens to the other brokers of the store: when one has new policies, this broker looks at its own folder. It takes nothing
 * else from a notice, because whoever can write to the database must not be able to change policies.
 *
 * As a health check it is that of the folder, and says when brokers have differed for minutes: then jobs get other answers
 * from one broker than from another, and a folder was forgotten.
 */
export function createPolicyPeers(
  folder: Pick<PolicyFolder, "status" | "health" | "notice">,
  clock: Clock,
  log: Log,
): HealthCheck & NoticeListener {
  const others = new Map<string, { readonly policies: string; readonly at: number }>()
  let differs: { readonly from: number; readonly since: string } | null = null
  let isSaid = false
  let again: NodeJS.Timeout | undefined

  function lookAtFolder(): void {
    folder.notice()
    clearTimeout(again)
    again = setTimeout(folder.notice, LOOK_AGAIN_MS).unref()
  }

  /** The brokers whose policies are not the ones in force here. */
  function judge(): readonly string[] {
    const now = clock.elapsed()
    for (const [broker, { at }] of others) if (now - at > FORGET_MS) others.delete(broker)
    const own = folder.status().version
    const versions = [...others.values()].map(({ policies }) => policies).filter((policies) => policies !== own)
    if (versions.length === 0) {
      if (isSaid) log({ event: "policies.agree", detail: "the brokers of this store have the same policies again" })
      differs = null
      isSaid = false
      return versions
    }
    differs ??= { from: now, since: clock.now().toISOString() }
    if (!isSaid && now - differs.from >= DIFFER_MS) {
      isSaid = true
      const detail = `${versions.length} of the ${others.size} other brokers of this store have other policies than this one, for 5 minutes: here version ${own}, there ${versions[0]}. Compare the policy folders`
      log({ event: "policies.differ", detail })
    }
    return versions
  }

  return {
    part: "policies",
    heard({ broker, policies }: Notice) {
      const before = others.get(broker)
      if (before === undefined && others.size >= MOST_BROKERS) return
      others.set(broker, { policies, at: clock.elapsed() })
      if (policies !== before?.policies && policies !== folder.status().version) lookAtFolder()
      judge()
    },
    missed: lookAtFolder,
    async look(): Promise<Health> {
      const own = await folder.health.look()
      if (own.state !== "ok") return own
      judge()
      if (!isSaid || differs === null) return own
      const reason =
        "Brokers of this store have had different policies for more than 5 minutes; the log has the versions."
      return { state: "degraded", reason, since: differs.since }
    },
  }
}
