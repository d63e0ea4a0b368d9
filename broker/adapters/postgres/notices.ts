import { setTimeout as sleep } from "node:timers/promises"
import * as z from "zod"
import type { Log } from "../../ports/log.ts"
import type { Notice, NoticeListener, Notices } from "../../ports/notices.ts"
import type { DatabaseAddress } from "./address.ts"
import type { Session } from "./session.ts"
import { openPrimary } from "./sessions.ts"

const CHANNEL = "daypass"
/** Every broker tells its state again: so the others notice that it has ended, and that their own connection is dead. */
const TELL_EVERY_MS = 60_000
/** A notice to oneself takes one commit. A pooler may accept LISTEN and then never deliver anything. */
const HEARD_WITHIN_MS = 2000
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 60_000
/** A server that starts again is back by then. Until then, the store itself has said that it cannot be reached. */
const SAID_FROM_PAUSE_MS = 16_000
const MOST_CHARACTERS = 300

const NOTICE = z.object({ v: z.literal(1), broker: z.uuid(), policies: z.string().regex(/^[0-9a-f]{64}$/) })

const UNHEARD = {
  pooler: "a pooler is between this broker and the server, and LISTEN needs a connection to the server itself",
  silent: "a notice that this broker sent to itself did not come back within 2 seconds: a pooler may be in between",
  unreachable: "no connection for them can be made: the server may have no connection left for this user",
} as const

/**
 * Reads a payload. Null for one that is not understood: a newer broker may tell more, and other programs may use the channel.
 */
export function readNotice(payload: string): Notice | null {
  if (payload.length > MOST_CHARACTERS) return null
  try {
    return NOTICE.parse(JSON.parse(payload))
  } catch {
    return null
  }
}

export interface NoticeParts {
  readonly address: DatabaseAddress
  /** This process: a random UUID. */
  readonly broker: string
  /** Sends a payload to a channel, over another connection than the one that listens. */
  readonly notify: (channel: string, payload: string) => Promise<unknown>
  readonly log: Log
  /** How often the state is told again, in milliseconds: a minute. */
  readonly everyMs?: number
}

/**
 * Notices of the brokers of one database, by LISTEN and NOTIFY on one channel, over a connection for nothing else.
 *
 * The channel works when the broker hears itself. It must be another connection that sends: a pooler in transaction mode
 * delivers a notice to the client that uses the server's process at that moment, which can be the sender.
 */
export class PostgresNotices implements Notices {
  readonly #parts: NoticeParts
  readonly #everyMs: number
  readonly #closing = new AbortController()
  #version = ""
  #listener: NoticeListener | null = null
  #session: Session | null = null
  #heardSelf = () => {}
  #isUnheard = false
  #running: Promise<void> = Promise.resolve()

  constructor(parts: NoticeParts) {
    this.#parts = parts
    this.#everyMs = parts.everyMs ?? TELL_EVERY_MS
  }

  start(version: string, listener: NoticeListener): void {
    this.#version = version
    this.#listener = listener
    // Only the end of `close` throws here.
    this.#running = this.#run().catch(() => {})
  }

  tell(version: string): void {
    this.#version = version
    void this.#send()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#session?.close()
    await this.#running
  }

  async #run(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      if (await this.#listen(pause)) pause = FIRST_PAUSE_MS
      await this.#wait(pause)
    }
  }

  /** Listens until the connection ends. Returns whether this broker could hear itself. */
  async #listen(pause: number): Promise<boolean> {
    let session: Session | null = null
    try {
      session = await openPrimary(this.#parts.address, (payload) => this.#receive(payload))
      this.#session = session
      this.#closing.signal.throwIfAborted()
      if (!session.isPrepared) {
        // Without LISTEN: a pooler would give the process that listens to its other clients. The others hear this broker.
        this.#unheard("pooler")
        await this.#send()
        return false
      }
      await session.run({ text: `LISTEN ${CHANNEL}` })
      if (!(await this.#hearsItself())) {
        this.#unheard("silent")
        return false
      }
      this.#heard()
      this.#listener?.missed()
      do await Promise.race([this.#wait(this.#everyMs), session.ended])
      while (session.isOpen && (await this.#hearsItself()))
      return true
    } catch {
      if (pause >= SAID_FROM_PAUSE_MS) this.#unheard("unreachable")
      return false
    } finally {
      await session?.close()
    }
  }

  async #hearsItself(): Promise<boolean> {
    const heard = new Promise<true>((resolve) => {
      this.#heardSelf = () => resolve(true)
    })
    await this.#send()
    return Promise.race([heard, this.#wait(HEARD_WITHIN_MS).then(() => false)])
  }

  async #send(): Promise<void> {
    const payload = JSON.stringify({ v: 1, broker: this.#parts.broker, policies: this.#version })
    await this.#parts.notify(CHANNEL, payload).catch(() => {})
  }

  #receive(payload: string): void {
    const notice = readNotice(payload)
    if (notice === null) return
    try {
      if (notice.broker === this.#parts.broker) this.#heardSelf()
      else this.#listener?.heard(notice)
    } catch {
      // The driver calls this while it reads its socket, and must not be stopped by a log that is full.
    }
  }

  #unheard(why: keyof typeof UNHEARD): void {
    if (this.#isUnheard || this.#closing.signal.aborted) return
    this.#isUnheard = true
    const detail = `notices of other brokers do not arrive: ${UNHEARD[why]}. The policy folder is looked at every 10 seconds all the same`
    this.#parts.log({ event: "notices.unheard", detail })
  }

  #heard(): void {
    if (!this.#isUnheard) return
    this.#isUnheard = false
    this.#parts.log({ event: "notices.heard", detail: "notices of other brokers arrive again" })
  }

  #wait(milliseconds: number): Promise<void> {
    return sleep(milliseconds, undefined, { signal: this.#closing.signal, ref: false })
  }
}
