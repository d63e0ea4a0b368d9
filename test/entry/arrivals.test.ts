import { expect, test } from "vitest"
import { createArrivals } from "../../broker/entry/arrivals.ts"

/** Each turn of the event loop ends with its immediates, in the order in which they were set. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test("a request is served in the turn in which it arrived when no connection arrives", async () => {
  const arrivals = createArrivals()
  const served: number[] = []
  arrivals.request(() => void served.push(1))
  arrivals.request(() => void served.push(2))
  expect(served).toEqual([])
  await turn()
  expect(served).toEqual([1, 2])
})

test("requests wait, in their order, until a turn brings no connection", async () => {
  const arrivals = createArrivals()
  const served: number[] = []
  arrivals.request(() => void served.push(1))
  for (let connection = 0; connection < 100; connection++) {
    arrivals.connected()
    if (connection === 50) arrivals.request(() => void served.push(2))
    await turn()
    expect(served).toEqual([])
  }
  await turn()
  expect(served).toEqual([1, 2])
})

test("a flood of connections holds a request up for 512 of them, and each time anew", async () => {
  const arrivals = createArrivals()
  for (let time = 0; time < 2; time++) {
    let isServed = false
    let turns = 0
    arrivals.request(() => {
      isServed = true
    })
    while (!isServed && turns < 2000) {
      arrivals.connected()
      await turn()
      turns += 1
    }
    expect(turns).toBe(512)
  }
})

test("a connection that arrived before there was a request costs it one turn at most", async () => {
  const arrivals = createArrivals()
  for (let connection = 0; connection < 1000; connection++) arrivals.connected()
  let isServed = false
  arrivals.request(() => {
    isServed = true
  })
  await turn()
  await turn()
  expect(isServed).toBe(true)
})
