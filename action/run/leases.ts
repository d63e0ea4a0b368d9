import { forLog } from "../escape.ts"
import { toFailure } from "../failure.ts"
import { forgetLease, isOver, revokeLease, type SavedLease, saveLease, saveRenewedLeases } from "../lease.ts"
import { logOutcomes } from "../outcomes.ts"
import { startDeadline } from "../retry.ts"
import * as runner from "../runner.ts"

/** The leases of one command. Each is saved at once, so that the post step revokes it when this process is killed. */
export class RunLeases {
  readonly first: SavedLease
  #renewed: readonly SavedLease[] = []
  #isFirstEnded = false

  constructor(first: SavedLease) {
    this.first = first
    saveLease(first)
  }

  add(lease: SavedLease): void {
    this.#renewed = [...this.#renewed.filter((one) => !isOver(one)), lease]
    saveRenewedLeases(this.#renewed)
  }

  /** Revokes what still lives and was not revoked before. What fails stays saved, and the post step tries again. */
  async revokeAll(): Promise<void> {
    if (!this.#isFirstEnded && (await this.#end(this.first))) {
      this.#isFirstEnded = true
      forget(forgetLease)
    }
    const ended: boolean[] = []
    for (const lease of this.#renewed) ended.push(await this.#end(lease))
    if (this.#renewed.length === 0) return
    this.#renewed = this.#renewed.filter((_, index) => !ended[index])
    forget(() => saveRenewedLeases(this.#renewed))
  }

  async #end(lease: SavedLease): Promise<boolean> {
    if (isOver(lease)) return true
    try {
      logOutcomes(await revokeLease(lease, startDeadline()))
      return true
    } catch (thrown) {
      runner.warn(`A lease is not revoked yet; the post step tries again: ${forLog(toFailure(thrown).message)}`)
      return false
    }
  }
}

/** The command may have removed the runner's file. The post step then revokes once more, which changes nothing. */
function forget(save: () => void): void {
  try {
    save()
  } catch (thrown) {
    runner.info(`The state of this step could not be written: ${forLog(toFailure(thrown).message)}`)
  }
}
