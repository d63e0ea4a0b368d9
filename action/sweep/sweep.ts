import { realpathSync } from "node:fs"
import { isAbsolute, resolve } from "node:path"
import type { OpenRecord } from "../fingerprints/record.ts"
import { Budget, reasonOf, Unread, type UnreadReason } from "./budget.ts"
import { linesAt, lookAt, openFile, readThrough } from "./files.ts"
import { commandFolder, isKnown, isSkipped, PACKAGES, type Surrounding, toolFiles } from "./places.ts"
import { type Place, Reader } from "./reader.ts"
import { isBelow, Report, type SweepReport } from "./report.ts"
import { type Found, Search } from "./search.ts"
import { filesBelow } from "./walk.ts"

export interface SweepRequest extends Surrounding {
  /** At least one. */
  readonly records: readonly OpenRecord[]
  /** Files, folders and archives that are looked into as a whole: absolute paths, or paths from the workspace. */
  readonly named: readonly string[]
  readonly milliseconds: number
}

const PLAIN = { inside: [], depth: 0 } as const
const MAX_FILE_BYTES = 256 * 1024 ** 2
const MAX_UNPACKED_BYTES = 16 * 1024 ** 3
/** Of the whole time: what the workflow names must not take the time of everything else. */
const NAMED_SHARE = 0.6

/**
 * Looks for issued values where jobs leave them by mistake. Never throws, changes nothing, and follows no link. What could
 * not be looked at is reported, too.
 */
export async function sweep(request: SweepRequest): Promise<SweepReport> {
  const budget = new Budget(request.milliseconds, MAX_UNPACKED_BYTES)
  const run = new Sweep(request, budget)
  for (const path of toolFiles(request)) run.tool(path)
  if (request.temp !== null) run.below(commandFolder(request.temp), { since: null, isExpected: false })
  const named = budget.part(NAMED_SHARE)
  for (const path of request.named) await run.named(path, named)
  if (request.workspace !== null) run.workspace(request.workspace)
  return run.report()
}

class Sweep {
  readonly #request: SweepRequest
  readonly #budget: Budget
  readonly #search: Search
  readonly #reader: Reader<Found>
  readonly #done = new Set<string>()
  readonly #report: Report
  #files = 0

  constructor(request: SweepRequest, budget: Budget) {
    this.#request = request
    this.#budget = budget
    this.#search = new Search(request.records, budget)
    this.#report = new Report(request.workspace)
    this.#reader = new Reader(this.#search, {
      found: (found, place) => this.#found(place.path, found, place),
      unread: (path, reason) => this.#report.note(path, reason),
    })
  }

  report(): SweepReport {
    return { ...this.#report.lists(), files: this.#files, bytes: this.#search.bytes }
  }

  /** A file of a tool, which is usually not there. */
  tool(path: string): void {
    try {
      const found = lookAt(path)
      if (found?.isFile()) this.#file(path)
      else if (found !== undefined) this.#report.note(path, found.isSymbolicLink() ? "link" : "special")
    } catch (thrown) {
      this.#report.note(path, reasonOf(thrown))
    }
  }

  workspace(folder: string): void {
    const since = Math.min(...this.#request.records.map((record) => record.since))
    const packages: string[] = []
    this.below(folder, { since, isExpected: true, later: packages })
    for (const each of packages) this.below(each, { since, isExpected: true })
  }

  /** Files below a folder. `later`: gets the folders of packages, which then wait. */
  below(folder: string, how: { since: number | null; isExpected: boolean; later?: string[] }): void {
    const enters = (path: string, name: string) => {
      if (isSkipped(path, name) || isKnown(path, this.#request.temp)) return false
      if (how.later === undefined || name !== PACKAGES) return true
      how.later.push(path)
      return false
    }
    const unread = (path: string, reason: UnreadReason) => this.#report.note(path, reason)
    try {
      if (lookAt(folder)?.isDirectory() !== true) {
        if (how.isExpected) this.#report.note(folder, "missing")
        return
      }
      for (const path of filesBelow(folder, { budget: this.#budget, since: how.since, enters, unread }))
        this.#file(path)
    } catch (thrown) {
      this.#report.note(folder, reasonOf(thrown))
    }
  }

  /** A path that the workflow names: its archives are read inside. */
  async named(text: string, budget: Budget): Promise<void> {
    try {
      const path = this.#placeOf(text)
      const found = lookAt(path)
      if (found === undefined) throw new Unread("missing")
      if (found.isSymbolicLink()) throw new Unread("link")
      if (!found.isDirectory()) return await this.#archive(path, budget)
      const options = {
        budget,
        since: null,
        enters: (each: string) => !isKnown(each, this.#request.temp),
        unread: (each: string, reason: UnreadReason) => this.#report.note(each, reason),
      }
      for (const each of filesBelow(path, options)) await this.#archive(each, budget)
    } catch (thrown) {
      this.#report.note(text, reasonOf(thrown))
    }
  }

  /** A relative path leads out of the workspace by `..` or by a link. An absolute one means what it says. */
  #placeOf(text: string): string {
    if (isAbsolute(text)) return text
    const { workspace } = this.#request
    if (workspace === null) throw new Unread("outside")
    const path = resolve(workspace, text)
    const real = realPathOf(resolve(path, ".."))
    if (real === null) throw new Unread("missing")
    const isInside = path === resolve(workspace) || isBelow(realPathOf(workspace) ?? workspace, real)
    if (!isInside || !(path === resolve(workspace) || isBelow(resolve(workspace), path))) throw new Unread("outside")
    return path
  }

  /** @throws {Unread} `time`, for the caller to note */
  #file(path: string): void {
    if (this.#done.has(path) || isKnown(path, this.#request.temp)) return
    this.#done.add(path)
    try {
      const file = openFile(path)
      this.#search.begin({ budget: this.#budget })
      this.#files++
      try {
        readThrough(file, MAX_FILE_BYTES, (chunk) => this.#search.push(chunk))
        this.#found(path, this.#search.end())
        if (file.size > MAX_FILE_BYTES) throw new Unread("size")
      } catch (thrown) {
        this.#found(path, this.#search.soFar())
        throw thrown
      }
    } catch (thrown) {
      this.#noteUnlessTime(path, thrown)
    }
  }

  /** @throws {Unread} `time`, for the caller to note */
  async #archive(path: string, budget: Budget): Promise<void> {
    if (isKnown(path, this.#request.temp)) return
    this.#done.add(path)
    try {
      this.#files++
      await this.#reader.file(path, budget)
    } catch (thrown) {
      this.#noteUnlessTime(path, thrown)
    }
  }

  #noteUnlessTime(path: string, thrown: unknown): void {
    const reason = reasonOf(thrown)
    if (reason === "time") throw thrown
    // A file that is gone again cannot be looked at, and leaks nothing.
    if (reason !== "missing") this.#report.note(path, reason)
  }

  /** Only the bytes of the file itself have lines: those of an archive are not its own. */
  #found(path: string, found: readonly Found[], { inside, depth }: Pick<Place, "inside" | "depth"> = PLAIN): void {
    if (found.length === 0) return
    const offsets = found.map(({ offset }) => offset)
    const lines = depth > 0 ? null : linesAt(path, offsets, this.#budget)
    for (const { value, offset } of found) this.#report.find(value, path, inside, lines?.get(offset) ?? null)
  }
}

function realPathOf(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
