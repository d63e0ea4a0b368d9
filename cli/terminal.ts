import * as util from "node:util"
import type { CliIo } from "./io.ts"

/** The styles of a terminal that commands use: few, and each has its meaning. */
export type Style = "red" | "yellow" | "green"

type Stream = Pick<NodeJS.WriteStream, "isTTY">

/**
 * Whether a stream shows colours: a terminal does, and a file or a pipe does not. NO_COLOR (no-color.org) and FORCE_COLOR
 * overrule that, in this order.
 */
export function showsColours({ isTTY }: Stream, { NO_COLOR, FORCE_COLOR, TERM }: CliIo["env"]): boolean {
  if (NO_COLOR) return false
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false"
  return isTTY && TERM !== "dumb"
}

/** Node has styleText since 20.12; before, everything is plain. */
export const styled = (style: Style, text: string): string =>
  typeof util.styleText === "function" ? util.styleText(style, text, { validateStream: false }) : text

/** A first word in its colour, where there are colours. The text must be inert already. */
export const painted = ({ paint }: Pick<CliIo, "paint">, stream: "out" | "err", style: Style, text: string): string =>
  paint === undefined ? text : paint(stream, style, text)

/** Longer work says how far it is; shorter work would only flicker. */
const QUIET_MS = 1_000
const REWRITE_MS = 100

/** How far a command is. */
export interface Progress {
  add(count: number): void
  /** Erases the line. */
  end(): void
}

/**
 * Shows how far long work is, in one line of the terminal that is rewritten and erased in the end. Shows nothing in the first
 * second, in a file, a pipe or a CI.
 *
 * @param total of what `add` counts; null when it is not known
 */
export function progressOf({ status }: Pick<CliIo, "status">, what: string, total: number | null): Progress {
  if (status === undefined) return { add() {}, end() {} }
  const began = performance.now()
  let [done, shown] = [0, 0]
  return {
    add(count) {
      done += count
      const now = performance.now()
      if (now - began < QUIET_MS || now - shown < REWRITE_MS) return
      shown = now
      const share = total ? `${Math.min(99, Math.floor((done / total) * 100))} %` : done.toLocaleString("en")
      status(`${what}: ${share}`)
    },
    end() {
      if (shown > 0) status(null)
    },
  }
}
