/**
 * Whether a program is the Node of npm's package `node`, which this project uses for tests. The package's install script
 * fetches the program; the lock file knows the hash of the script, and not that of the program.
 */
export const isPackagedNode = (execPath: string): boolean => /[\\/]node_modules[\\/]/.test(execPath)

/** Why such a Node must not serve a public URL: it would hold the key to everything that the deployment has sealed. */
export const PACKAGED_NODE =
  'This Node is the one that npm\'s package "node" fetched, outside of the lock file. It must not hold the keys of a broker with a public URL. Start the broker with your own Node 24 or newer, such as /usr/bin/node'
