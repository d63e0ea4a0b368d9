import { once } from "node:events"
import { createServer } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { Hono } from "hono"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { serveExchange } from "../../broker/entry/node-exchange.ts"
import { isClientGone, type Listener, startListening } from "../../broker/entry/node-listener.ts"
import { asResponse, jsonAnswer } from "../../broker/http/answer.ts"
import type { ExchangeRoute } from "../../broker/http/exchange-route.ts"
import { MAX_BODY_BYTES } from "../../broker/http/limits.ts"

let listener: Listener
/** Resolves what a running request waits for, and what it then sees of its client. */
let release = () => {}
let seen: Promise<boolean>
let arrived: Promise<void>

beforeAll(async () => {
  const act = async (isGone: () => boolean) => {
    arrive()
    await new Promise<void>((resolve) => {
      release = resolve
    })
    see(isGone())
    return jsonAnswer({})
  }
  const app = new Hono()
  app.get("/", async (context) => asResponse(await act(() => isClientGone(context))))
  const exchange: ExchangeRoute = async (request, { isGone }) => {
    await request.read(MAX_BODY_BYTES)
    return await act(isGone)
  }
  listener = await startListening(app, exchange, { port: 0, hostname: "127.0.0.1" })
})
afterAll(() => listener.stop())

let arrive = () => {}
let see = (_: boolean) => {}

/** A client whose request has arrived. */
async function request(text: string): Promise<Socket> {
  arrived = new Promise((resolve) => {
    arrive = resolve
  })
  seen = new Promise((resolve) => {
    see = resolve
  })
  const socket = connect(listener.port, "127.0.0.1")
  await once(socket, "connect")
  socket.on("error", () => {})
  socket.write(text)
  await arrived
  return socket
}

const WAYS = {
  app: "GET / HTTP/1.1\r\nhost: broker\r\n\r\n",
  "exchange route": "POST /v1/exchange HTTP/1.1\r\nhost: broker\r\ncontent-length: 2\r\n\r\n{}",
}

describe.each(Object.entries(WAYS))("by the %s, a client", (_, text) => {
  it.each([
    ["that waits is there", () => {}, false],
    ["that was killed is gone", (socket: Socket) => socket.resetAndDestroy(), true],
    ["that closed its connection is gone", (socket: Socket) => socket.destroy(), true],
    ["that ended its half of the connection is gone: Node ends the other", (socket: Socket) => socket.end(), true],
  ])("%s", async (_, act, gone) => {
    const socket = await request(text)
    act(socket)
    await sleep(50)
    release()
    expect(await seen).toBe(gone)
    socket.destroy()
  })
})

it("by the exchange route, a body of a client that hung up before its turn is not waited for", async () => {
  const reading = Promise.withResolvers<unknown>()
  const server = createServer((request, response) => {
    const serve = () =>
      serveExchange(request, response, async (incoming) => {
        await incoming.read(MAX_BODY_BYTES).catch(reading.resolve)
        return jsonAnswer({})
      })
    request.socket.once("close", () => setImmediate(() => void serve()))
    request.socket.destroy()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1")
  socket.on("error", () => {})
  socket.write(WAYS["exchange route"])
  expect(await reading.promise).toBeInstanceOf(Error)
  server.close()
})
