#!/usr/bin/env node
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs"
import module from "node:module"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"

const OLDEST_NODE = 20

// In a checkout the sources run as they are; a package carries them built, because Node strips no types in node_modules.
const source = new URL("./main.ts", import.meta.url)
const built = new URL("./dist/main.js", import.meta.url)
const inCheckout = existsSync(source)

/** Why this Node cannot run the command line; null when it can. */
function refusal() {
  const { node } = process.versions
  if (Number.parseInt(node, 10) < OLDEST_NODE)
    return `The command line needs Node ${OLDEST_NODE} or newer, and this is Node ${node}.`
  if (inCheckout && !process.features.typescript)
    return `Node ${node} cannot run this checkout's TypeScript. Run it as "daypass", which takes the Node that "npm ci" installed, or with Node 24.`
  return null
}

/**
 * Lets Node 22 and newer keep the code that they compiled for the next run.
 *
 * Node runs what it finds in that folder, so it is the user's own, and one that others can write to is not used: Node's
 * default is below /tmp, where any account could leave code for this one. Without a cache, only the start takes longer.
 */
function keepCompiledCode() {
  try {
    const { XDG_CACHE_HOME = "" } = process.env
    const caches = isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), ".cache")
    const folder = join(caches, "daypass")
    // One by one: where a file system lets none be made, as /proc does, Node's recursive mkdir never ends.
    for (const each of [caches, folder]) if (!existsSync(each)) mkdirSync(each, { mode: 0o700 })
    const { uid, mode } = statSync(folder)
    const isOurs = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0)
    if (isOurs) module.enableCompileCache?.(folder)
  } catch {
    // No home, no right to write, no room: nothing that the command needs.
  }
}

const why = refusal()
if (why !== null) {
  process.stderr.write(`daypass: ${why}\n`)
  process.exitCode = 2
} else {
  // Not for the broker, which starts rarely and holds the keys: it runs no code that a file in a home folder names.
  if (process.argv[2] !== "serve") keepCompiledCode()
  const { main } = await import((inCheckout ? source : built).href)
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  process.exitCode = await main(process.argv.slice(2), version)
}
