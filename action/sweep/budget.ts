/** Why a place was not looked at, or not completely. */
export type UnreadReason =
  | "archive" // its form cannot be read inside
  | "damaged" // the archive ends early, or is not what it says
  | "link"
  | "missing"
  | "nested" // archives inside of archives, more than anyone builds
  | "outside" // of the workspace, which a relative path must not leave
  | "size"
  | "special" // a device, a socket or a pipe
  | "time"
  | "unreadable"

/** Ends the reading of one place. `time` ends the whole sweep. */
export class Unread extends Error {
  readonly reason: UnreadReason

  constructor(reason: UnreadReason) {
    super(reason)
    this.reason = reason
  }
}

/** Any other error is one of the disk: nothing else is called where this is asked. */
export const reasonOf = (thrown: unknown): UnreadReason => (thrown instanceof Unread ? thrown.reason : "unreadable")

/** The limits of one sweep. */
export class Budget {
  readonly #end: number
  #unpacked: number

  /** `unpackedBytes`: how much may come out of compressed data, all of it together. */
  constructor(milliseconds: number, unpackedBytes: number) {
    this.#end = performance.now() + milliseconds
    this.#unpacked = unpackedBytes
  }

  /** A part of this budget: at most `share` of the time that is left. */
  part(share: number): Budget {
    return new Budget(Math.max(0, this.#end - performance.now()) * share, this.#unpacked)
  }

  get isOver(): boolean {
    return performance.now() >= this.#end
  }

  /** @throws {Unread} `time` */
  check(): void {
    if (this.isOver) throw new Unread("time")
  }

  /** @throws {Unread} `size` for data that unpacks to more than any image: a bomb, or too much for the end of a job */
  unpack(bytes: number): void {
    this.#unpacked -= bytes
    if (this.#unpacked < 0) throw new Unread("size")
  }
}
