// Plain JavaScript, and read before all else: of the broker's TypeScript an older Node says nothing that helps. `npm start`
// has it read by --import, because Node 20 reads no TypeScript at all; Node 22 reads the entry, and this as its first import.
// The Node of npm's package "node" is only for this machine: broker/entry/packaged-node.ts refuses it for a public URL.
const OLDEST_NODE = 24

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `The broker needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node}. Install Node ${OLDEST_NODE} or newer from your system's packages or nodejs.org. To try the broker on this machine only, run "npx node broker/entry/node.ts".\n`,
  )
  process.exit(2)
}
