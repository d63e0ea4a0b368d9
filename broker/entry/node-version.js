// Plain JavaScript, and read before all else: of the broker's own code an older Node says nothing that helps.
// The Node of npm's package "node" is only for this machine: broker/entry/packaged-node.ts refuses it for a public URL.
const OLDEST_NODE = 24

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `The broker needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node}. Install Node ${OLDEST_NODE} or newer from your system's packages or nodejs.org. Other commands of daypass run on Node 20, too.\n`,
  )
  process.exit(2)
}
