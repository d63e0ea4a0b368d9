// Plain JavaScript, and read before all else: of the broker's TypeScript an older Node says nothing that helps. `npm start`
// has it read by --import, because Node 20 reads no TypeScript at all; Node 22 reads the entry, and this as its first import.
const OLDEST_NODE = 24

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `The broker needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node}. "npm ci" installs the right one, and "npm start" takes it; install scripts must be allowed for the package "node".\n`,
  )
  process.exit(2)
}
