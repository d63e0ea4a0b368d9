import { type FSWatcher, watch } from "node:fs"
import { placeOf } from "./folder-place.ts"

/** How soon after a reported change the folder is looked at, so that one look serves the events of one write. */
const NOTICE_MS = 100
/** How often the links to the folder are followed. It costs two system calls. */
const PULSE_MS = 1_000
/** A look at 10,000 files takes a tenth of a second, and a checkout reports each of them: looks take a tenth of the time. */
const PAUSE_FACTOR = 10

export interface FolderWatchOptions {
  /** How often the folder is looked at without a reported change: network file systems report none. */
  readonly pollMs: number
  /** False when only `pollMs` counts. */
  readonly isWatching: boolean
  /** Looks at the folder. Returns after how many milliseconds it wants to look again; null for no wish. */
  readonly look: () => Promise<number | null>
  /** Called every second. */
  readonly pulse: () => void
}

export interface FolderWatch {
  /** A change was reported: the folder is looked at soon. Looks take a tenth of the time, however often this is called. */
  noticed(): void
  close(): void
}

/**
 * Looks at a folder after a reported change, within a second after a link to it was swapped, and also every `pollMs`. A link
 * is followed each second, because a watcher sees the folder behind it and not the link.
 */
export function watchFolder(folder: string, options: FolderWatchOptions): FolderWatch {
  const { pollMs, isWatching, look, pulse } = options
  let timer: NodeJS.Timeout | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let restUntil = 0
  let closed = false

  function lookIn(milliseconds: number): void {
    const due = performance.now() + milliseconds
    if (closed || due >= dueAt) return
    clearTimeout(timer)
    dueAt = due
    timer = setTimeout(() => void run(), milliseconds).unref()
  }

  async function run(): Promise<void> {
    dueAt = Number.POSITIVE_INFINITY
    const from = performance.now()
    // A listener that throws, because the log is full, must not end the following of the folder.
    const wish = await look().catch(() => null)
    const now = performance.now()
    restUntil = now + PAUSE_FACTOR * (now - from)
    if (wish !== null) lookIn(wish)
  }

  const noticed = () => lookIn(Math.max(NOTICE_MS, restUntil - performance.now()))

  let watcher: FSWatcher | undefined
  let watched: string | null = null

  /** Watches the folder behind the links, again after each swap. */
  function follow(): void {
    const place = whereIs(folder)
    const key = place === null ? null : `${place.outer}\n${place.path}`
    if (key === watched) return
    const isFirst = watched === null && watcher === undefined
    watched = key
    watcher?.close()
    watcher = place === null || !isWatching ? undefined : watcherOf(place.outer, noticed)
    if (!isFirst && isWatching) lookIn(0)
  }

  follow()
  const poll = setInterval(() => lookIn(0), pollMs).unref()
  const pulsing = setInterval(() => {
    pulse()
    if (isWatching) follow()
  }, PULSE_MS).unref()
  return {
    noticed,
    close() {
      closed = true
      clearTimeout(timer)
      clearInterval(poll)
      clearInterval(pulsing)
      watcher?.close()
    },
  }
}

function whereIs(folder: string) {
  try {
    return placeOf(folder)
  } catch {
    return null
  }
}

function watcherOf(folder: string, noticed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { recursive: true, persistent: false }, (_, name) => {
      if (name === null || counts(name)) noticed()
    })
    // When the watcher fails, because of missing inotify handles or a replaced folder, polling continues.
    watcher.on("error", () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}

/** What has a hidden part in its path is never read, for example git's own files; `..data` is what Kubernetes swaps. */
const counts = (name: string) => name.split(/[\\/]/).every((part) => !part.startsWith(".") || part.startsWith("..data"))
