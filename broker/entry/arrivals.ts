/**
 * For how many connections a request waits: as many as the kernel queues (Node's default backlog is 511). So a flood of
 * connections holds a request up for as long as this many are accepted, about 50 ms, and then for another turn at most.
 */
const CONNECTIONS_FIRST = 512

/** Orders what arrives at a server: new connections first, then requests. */
export interface Arrivals {
  /** Call it for each new connection. */
  readonly connected: () => void
  /** Runs `serve` after this turn of the event loop, or after the turns in which connections are still arriving. */
  readonly request: (serve: () => void) => void
}

/**
 * Since libuv 1.45, Node accepts one connection in each turn of its event loop. A turn that also serves requests and waits
 * for a commit takes tens of milliseconds under load. So connections waited in the kernel's queue, while those that were
 * accepted before them were served again and again: of 256 connections that were opened at once and kept, the last was
 * accepted after 4 to 17 s in every third round measured, otherwise after 20 ms. A turn that only accepts takes 0.1 ms.
 */
export function createArrivals(): Arrivals {
  let waiting: (() => void)[] = []
  /** Accepted while requests wait, and accepted in this turn. */
  let accepted = 0
  let acceptedNow = 0

  const release = (): void => {
    const isArriving = acceptedNow > 0
    accepted += acceptedNow
    acceptedNow = 0
    if (isArriving && accepted < CONNECTIONS_FIRST) {
      setImmediate(release)
      return
    }
    accepted = 0
    const served = waiting
    waiting = []
    for (const serve of served) serve()
  }

  return {
    connected() {
      acceptedNow += 1
    },
    request(serve) {
      waiting.push(serve)
      // Runs when this turn has read all sockets that were ready.
      if (waiting.length === 1) setImmediate(release)
    },
  }
}
