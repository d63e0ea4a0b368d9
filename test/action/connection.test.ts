import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, expect, test } from "vitest"
import { connect, send } from "../../action/http.ts"

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A server that keeps what each connection sent, and does what the test says when one opens. */
async function listen(onOpen: (socket: Socket, number: number) => void = () => {}) {
  const sent: string[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    const number = sockets.push(socket) - 1
    sent[number] = ""
    socket.on("error", () => {})
    socket.setEncoding("latin1").on("data", (text: string) => {
      sent[number] += text
      if (/\r\n\r\n/.test(text))
        socket.end("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok")
    })
    onOpen(socket, number)
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  closing.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as { port: number }
  const target = { method: "GET", url: new URL(`http://127.0.0.1:${port}/x`), timeoutMs: 5_000 } as const
  return { sent, sockets, target, request: { ...target, bearer: "made-up", accept: "text/plain" } }
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await sleep(5)
}

test("a connection is opened before its request, sends nothing until then, and carries it", async () => {
  const { sent, sockets, target, request } = await listen()
  const connection = connect(target)
  await until(() => sockets.length === 1)
  await sleep(50)
  expect(sent).toEqual([""])
  expect((await send(request, connection)).body.toString()).toBe("ok")
  expect(sent).toHaveLength(1)
  expect(sent[0]).toMatch(/^GET \/x HTTP\/1\.1\r\n(?:.*\r\n)*authorization: Bearer made-up\r\n/)
})

test.each([
  ["is closed", (socket: Socket) => socket.end()],
  ["breaks", (socket: Socket) => socket.resetAndDestroy()],
  [
    "is answered without a request",
    (socket: Socket) => socket.end("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"),
  ],
])("when it %s before that, the request goes over a new one", async (_, spoil) => {
  const { sent, sockets, target, request } = await listen((socket, number) => void (number === 0 && spoil(socket)))
  const connection = connect(target)
  await until(() => sockets[0]?.destroyed === true)
  await sleep(20)
  expect((await send(request, connection)).status).toBe(200)
  expect(sent[0]).toBe("")
  expect(sent[1]).toContain("authorization: Bearer made-up")
})

test("it carries one request only", async () => {
  const { sockets, target, request } = await listen()
  const connection = connect(target)
  await until(() => sockets.length === 1)
  await send(request, connection)
  await send(request, connection)
  expect(sockets).toHaveLength(2)
})

test("it is closed when its request does not come", async () => {
  const { sent, sockets, target } = await listen()
  const connection = connect(target)
  await until(() => sockets.length === 1)
  connection.end()
  await until(() => sockets[0]?.destroyed === true)
  expect(sent).toEqual([""])
})

test("it goes to no host that plain HTTP must not reach", async () => {
  const target = { method: "GET", url: new URL("http://broker.example/x"), timeoutMs: 500 } as const
  const connection = connect(target)
  expect(connection.take()).toBeNull()
  await expect(send({ ...target, bearer: "made-up", accept: "text/plain" }, connection)).rejects.toThrow("not-http")
})
