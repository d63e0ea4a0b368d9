import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { Hono } from "hono"
import { afterAll, beforeAll, expect, it } from "vitest"
import { isClientGone, type Listener, startListening } from "../../broker/entry/node-listener.ts"

let listener: Listener
/** Resolves what a running request of `GET /` waits for, and what it then sees of its client. */
let release = () => {}
let seen: Promise<boolean>
let arrived: Promise<void>

beforeAll(async () => {
  const app = new Hono()
  app.get("/", async (context) => {
    arrive()
    await new Promise<void>((resolve) => {
      release = resolve
    })
    see(isClientGone(context))
    return context.text("an answer")
  })
  listener = await startListening(app, { port: 0, hostname: "127.0.0.1" })
})
afterAll(() => listener.stop())

let arrive = () => {}
let see = (_: boolean) => {}

/** A client whose request has arrived. */
async function request(): Promise<Socket> {
  arrived = new Promise((resolve) => {
    arrive = resolve
  })
  seen = new Promise((resolve) => {
    see = resolve
  })
  const socket = connect(listener.port, "127.0.0.1")
  await once(socket, "connect")
  socket.on("error", () => {})
  socket.write("GET / HTTP/1.1\r\nhost: broker\r\n\r\n")
  await arrived
  return socket
}

it.each([
  ["that waits is there", () => {}, false],
  ["that was killed is gone", (socket: Socket) => socket.resetAndDestroy(), true],
  ["that closed its connection is gone", (socket: Socket) => socket.destroy(), true],
  ["that ended its half of the connection is gone: Node ends the other", (socket: Socket) => socket.end(), true],
])("a client %s", async (_, act, gone) => {
  const socket = await request()
  act(socket)
  await sleep(50)
  release()
  expect(await seen).toBe(gone)
  socket.destroy()
})
