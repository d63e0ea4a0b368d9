import type { FreshFile } from "./cloud.ts"
import type { Renewed } from "./renewed.ts"

/** WorkloadIdentityCredential keeps the text for up to ten minutes, so a token of five must be young when it is read. */
const LONGEST_WAIT_MS = 2 * 60_000
const SHARE_OF_LIFE = 0.4
/** After a failure, the next try is sooner: a quarter of the time, which doubles until it is the whole again. */
const SHARE_AFTER_FAILURE = 0.25

/** A file with the broker's token, which is replaced by a new one every two minutes while a command runs. */
export class KeptFresh {
  readonly #file: FreshFile
  readonly #token: Renewed
  readonly #onFailure: (failure: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  #share = 1

  /** `onFailure` gets what writing throws. Failures of the renewal are the token's own. */
  constructor(token: Renewed, file: FreshFile, onFailure: (failure: unknown) => void) {
    this.#file = file
    this.#token = token
    this.#onFailure = onFailure
  }

  /** Keeps the file fresh from now on. */
  start(): void {
    if (this.#isStopped) return
    const wholeMs = Math.min(LONGEST_WAIT_MS, this.#token.lifeMs * SHARE_OF_LIFE)
    // The commands of a matrix start together, and must not ask the broker together.
    const jitter = 0.85 + Math.random() * 0.15
    this.#timer = setTimeout(() => void this.#replace(), Math.max(0, wholeMs * this.#share * jitter))
    this.#timer.unref()
  }

  /** Nothing is written any more, also not by a renewal that is under way. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #replace(): Promise<void> {
    const isNew = (await this.#token.renew()) && !this.#isStopped && this.#writeNewest()
    this.#share = isNew ? 1 : Math.min(1, this.#share === 1 ? SHARE_AFTER_FAILURE : this.#share * 2)
    this.start()
  }

  #writeNewest(): boolean {
    try {
      this.#file.write(this.#token.newest)
      return true
    } catch (thrown) {
      this.#onFailure(thrown)
      return false
    }
  }
}
