import { describe, expect, it } from "vitest"
import { readForm, readJson } from "../../../broker/http/body.ts"
import { incomingOf } from "../../../broker/http/incoming.ts"

const MIB = 1024 * 1024

/** A request whose body comes in pieces and without a stated length. */
function streamed(chunks: readonly Uint8Array[], onCancel = () => {}): Request {
  let next = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[next++]
      if (chunk) controller.enqueue(chunk)
      else controller.close()
    },
    cancel: onCancel,
  })
  const init = { method: "POST", headers: { "content-type": "application/json" }, body, duplex: "half" }
  return new Request("https://daypass.example/v1/exchange", init as RequestInit)
}

const stated = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  new Request("https://daypass.example/v1/exchange", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: body as string,
  })

const bytes = (text: string) => new TextEncoder().encode(text)

describe("a request's body", () => {
  it("is read as JSON, in one piece or in many", async () => {
    expect(await readJson(incomingOf(stated('{"grants":["a"]}')))).toEqual({ grants: ["a"] })
    expect(await readJson(incomingOf(streamed([...'{"grants":["a"]}'].map(bytes))))).toEqual({ grants: ["a"] })
  })

  it("may state its character set", async () => {
    expect(await readJson(incomingOf(stated("{}", { "content-type": "Application/JSON; charset=utf-8" })))).toEqual({})
  })

  it("is refused above its limit, stated or counted, and reading stops", async () => {
    const tooLarge = { code: "request_too_large" }
    await expect(readJson(incomingOf(stated("x".repeat(20_000), { "content-length": "20000" })))).rejects.toMatchObject(
      tooLarge,
    )
    let cancelled = false
    const endless = streamed(
      Array.from({ length: 64 }, () => new Uint8Array(MIB / 64)),
      () => {
        cancelled = true
      },
    )
    await expect(readJson(incomingOf(endless))).rejects.toMatchObject(tooLarge)
    expect(cancelled).toBe(true)
  })

  it.each([
    ["nothing", new Uint8Array()],
    ["half of JSON", bytes('{"grants":')],
    ["bytes that are not UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["a byte order mark", bytes('\ufeff{"grants":["a"]}')],
  ])("is refused as %s", async (_, body) => {
    await expect(readJson(incomingOf(stated(body)))).rejects.toMatchObject({ code: "request_malformed" })
  })

  it("that ends early is refused, and its error is not revealed", async () => {
    const broken = new Request("https://daypass.example/", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new ReadableStream({
        pull(controller) {
          controller.error(new Error("canary"))
        },
      }),
      duplex: "half",
    } as RequestInit)
    const error = await readJson(incomingOf(broken)).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: "request_malformed" })
    expect(String(error)).not.toContain("canary")
  })

  it.each([null, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data"])(
    "is refused as %s",
    async (type) => {
      const request = new Request("https://daypass.example/", { method: "POST", body: "{}" })
      if (type === null) request.headers.delete("content-type")
      else request.headers.set("content-type", type)
      await expect(readJson(incomingOf(request))).rejects.toMatchObject({ code: "media_type_unsupported" })
    },
  )
})

describe("the body of a form", () => {
  const form = (body: Uint8Array<ArrayBuffer> | string, type = "application/x-www-form-urlencoded") =>
    new Request("https://daypass.example/", { method: "POST", headers: { "content-type": type }, body })

  it("is read with every parameter, in its own media type alone", async () => {
    const read = await readForm(
      incomingOf(form("a=1&a=2&b=%C3%BC+x", "application/x-www-form-urlencoded;charset=UTF-8")),
    )
    expect([...read]).toEqual([
      ["a", "1"],
      ["a", "2"],
      ["b", "\u00fc x"],
    ])
    await expect(readForm(incomingOf(form("{}", "application/json")))).rejects.toMatchObject({
      code: "media_type_unsupported",
    })
  })

  it("has room for a token of 16 KiB, and not for much more", async () => {
    expect((await readForm(incomingOf(form(`subject_token=${"x".repeat(16 * 1024)}&scope=vault`)))).get("scope")).toBe(
      "vault",
    )
    await expect(readForm(incomingOf(form("x".repeat(24 * 1024 + 1))))).rejects.toMatchObject({
      code: "request_too_large",
    })
  })

  it("that is no text in UTF-8 is refused", async () => {
    await expect(readForm(incomingOf(form(Uint8Array.of(0x61, 0x3d, 0xff))))).rejects.toMatchObject({
      code: "request_malformed",
    })
  })
})
