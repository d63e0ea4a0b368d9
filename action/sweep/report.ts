import { isAbsolute, relative, resolve, sep } from "node:path"
import type { IssuedValue } from "../fingerprints/record.ts"
import type { UnreadReason } from "./budget.ts"

/** One value in one file. Holds no value; `path` and `entry` are untrusted. */
export interface Finding {
  readonly grant: string
  readonly name: string
  /** From the workspace with forward slashes, or absolute. */
  readonly path: string
  /** The place inside of an archive: `layer.tar / app/.env`. */
  readonly entry?: string
  /** 1-based; left out in binary files and archives. */
  readonly line?: number
}

export interface SweepReport {
  readonly findings: readonly Finding[]
  /** True when there are more findings than are listed. */
  readonly hasMore: boolean
  /** What was not looked at, or not to its end. `path` is untrusted. */
  readonly unread: readonly { readonly path: string; readonly reason: UnreadReason }[]
  /** How many such places there are, listed or not. */
  readonly unreadCount: number
  readonly files: number
  readonly bytes: number
}

const MAX_FINDINGS = 100
const MAX_UNREAD = 20

/** Collects what a sweep finds, and what it could not read. */
export class Report {
  readonly #workspace: string | null
  readonly #findings = new Map<string, Finding>()
  readonly #unread: { path: string; reason: UnreadReason }[] = []
  #unreadCount = 0

  constructor(workspace: string | null) {
    this.#workspace = workspace
  }

  /** A value in a file, or in the entry of an archive to which `inside` leads. */
  find({ grant, name }: IssuedValue, path: string, inside: readonly string[], line: number | null): void {
    const shown = this.#shown(path)
    const entry = inside.join(" / ")
    const finding = { grant, name, path: shown, ...(entry !== "" && { entry }), ...(line !== null && { line }) }
    const key = JSON.stringify([grant, name, shown, entry])
    // One more than are listed, to know that there are more.
    if (this.#findings.size <= MAX_FINDINGS && !this.#findings.has(key)) this.#findings.set(key, finding)
  }

  note(path: string, reason: UnreadReason): void {
    this.#unreadCount++
    if (this.#unread.length < MAX_UNREAD) this.#unread.push({ path: this.#shown(path), reason })
  }

  lists(): Omit<SweepReport, "files" | "bytes"> {
    const findings = [...this.#findings.values()]
    return {
      findings: findings.slice(0, MAX_FINDINGS),
      hasMore: findings.length > MAX_FINDINGS,
      unread: this.#unread,
      unreadCount: this.#unreadCount,
    }
  }

  #shown(path: string): string {
    const workspace = this.#workspace
    const isInside = workspace !== null && path !== workspace && isAbsolute(path) && isBelow(resolve(workspace), path)
    return isInside ? relative(workspace, path).split(sep).join("/") : path
  }
}

/** Whether a path is a folder or something below it, by its text. */
export const isBelow = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
