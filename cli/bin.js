#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs"

// In a checkout the sources run as they are; a package carries them built, because Node strips no types in node_modules.
const source = new URL("./main.ts", import.meta.url)
const built = new URL("./dist/main.js", import.meta.url)
const inCheckout = existsSync(source)

if (inCheckout && !process.features.typescript) {
  process.stderr.write(
    `daypass: Node ${process.versions.node} cannot run this checkout's TypeScript. Run it as "npx daypass", which takes the Node that "npm ci" installed, or with Node 24.\n`,
  )
  process.exitCode = 2
} else {
  const { main } = await import((inCheckout ? source : built).href)
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  process.exitCode = await main(process.argv.slice(2), version)
}
