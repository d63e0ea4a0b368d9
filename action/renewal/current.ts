import { join } from "node:path"
import type { KeptAnswer, RenewalSettings } from "../files/renewable.ts"
import { readKept, replaceKept } from "./kept-file.ts"
import { tryLock } from "./lock.ts"

/** SDKs wait a minute. */
const WAIT_MS = 45_000
/** Many processes that start while the broker is away would otherwise each wait for it. */
const REST_AFTER_FAILURE_MS = 10_000
/** An answer with more of its life left than this is always kept, however short its life is. */
const LONGEST_USE = 0.8
/** A kept answer that ends sooner is of no use. */
const USABLE_MS = 30_000

/** Why there is no answer, as one line without a secret. */
export class RenewalError extends Error {
  override readonly name = "RenewalError"
  readonly code: string
  /** True when only this process fails, because of its own environment. */
  readonly isOwn: boolean

  constructor(code: string, message: string, isOwn = false) {
    super(message)
    this.code = code
    this.isOwn = isOwn
  }
}

/** Gets a new answer from the broker. @throws {RenewalError} */
type Renew = () => Promise<KeptAnswer>

/**
 * What the asker reads: the kept answer while it lives long enough, otherwise a new one. Processes that ask at the same time
 * share one exchange, and its failure.
 * @param folder of the grant
 * @throws {RenewalError}
 */
export async function currentAnswer(folder: string, { renewBelowMs }: RenewalSettings, renew: Renew): Promise<unknown> {
  const kept = () => asKept(readKept(join(folder, "kept.json")))
  const isFresh = (one: KeptAnswer) =>
    leftOf(one) >= Math.min(renewBelowMs, Math.max(USABLE_MS, (one.expiresAt - one.receivedAt) * LONGEST_USE))
  const end = performance.now() + WAIT_MS
  while (performance.now() < end) {
    const one = kept()
    if (one !== null && isFresh(one)) return one.answer
    const failure = recentFailure(folder)
    if (failure !== null) return usableOr(one, failure)
    const lock = tryLock(folder)
    if (lock === null) {
      await sleep(40 + 60 * Math.random())
      continue
    }
    try {
      // Another process may have renewed it, or failed, since the look above.
      const now = kept()
      if (now !== null && isFresh(now)) return now.answer
      const failed = recentFailure(folder)
      return failed === null ? await renewAndKeep(folder, now, renew) : usableOr(now, failed)
    } finally {
      lock.release()
    }
  }
  throw new RenewalError(
    "broker_timeout",
    "Another process asks the broker for this credential, and has no answer yet. Run the command again.",
  )
}

async function renewAndKeep(folder: string, old: KeptAnswer | null, renew: Renew): Promise<unknown> {
  try {
    const renewed = await renew()
    keep(join(folder, "kept.json"), renewed)
    return renewed.answer
  } catch (thrown) {
    if (!(thrown instanceof RenewalError)) throw thrown
    const { code, message, isOwn } = thrown
    if (!isOwn) keep(join(folder, "failed.json"), { at: Date.now(), code, message })
    return usableOr(old, thrown)
  }
}

/** What cannot be kept, because the disk is full for example, still serves this process. */
function keep(path: string, value: unknown): void {
  try {
    replaceKept(path, value)
  } catch {}
}

function usableOr(kept: KeptAnswer | null, failure: RenewalError): unknown {
  if (kept !== null && leftOf(kept) >= USABLE_MS) return kept.answer
  throw failure
}

function recentFailure(folder: string): RenewalError | null {
  const { at, code, message } = (readKept(join(folder, "failed.json")) ?? {}) as Readonly<Record<string, unknown>>
  if (typeof at !== "number" || typeof code !== "string" || typeof message !== "string") return null
  const age = Date.now() - at
  return age >= 0 && age < REST_AFTER_FAILURE_MS ? new RenewalError(code, message) : null
}

function asKept(value: unknown): KeptAnswer | null {
  const { receivedAt, expiresAt, answer } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof receivedAt !== "number" || typeof expiresAt !== "number" || typeof answer !== "object") return null
  return { receivedAt, expiresAt, answer }
}

const leftOf = ({ expiresAt }: KeptAnswer) => expiresAt - Date.now()

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
