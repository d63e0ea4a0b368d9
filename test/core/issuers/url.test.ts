import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isHttpsOrLoopback, parsePlainUrl } from "../../../broker/core/url.ts"

test.each([
  "https://token.actions.githubusercontent.com",
  "https://ghes.example.com/_services/token",
  "https://127.0.0.1:8443/",
  "HTTPS://EXAMPLE.COM/",
  "http://127.0.0.1:8080/keys",
  "http://127.255.255.254/",
  "http://127.1/",
  "http://0x7f000001/",
  "http://[::1]:8080/",
  "http://[0:0:0:0:0:0:0:1]/",
  "http://localhost/",
  "http://LOCALHOST:3000/path?query",
])("%s may be dialled", (url) => {
  expect(isHttpsOrLoopback(url)).toBe(true)
})

test.each([
  "http://example.com/",
  "http://10.0.0.1/",
  "http://0.0.0.0/",
  "http://[::]/",
  "http://[::ffff:127.0.0.1]/",
  "http://128.0.0.1/",
  "http://127.0.0.1.example.com/",
  "http://localhost.example.com/",
  "http://foo.localhost/",
  "http://localhost./",
  "http://example.com/?http://localhost/",
  "http://localhost@example.com/",
  "https://user@example.com/",
  "https://:password@example.com/",
  "http://user:password@127.0.0.1/",
  "ftp://localhost/",
  "file:///etc/passwd",
  "data:application/json,{}",
  "blob:https://example.com/x",
  "javascript:0",
  "//example.com",
  "example.com",
  "https://",
  "",
])("%j may not", (url) => {
  expect(isHttpsOrLoopback(url)).toBe(false)
})

/** URLs that have a second spelling, or in which an appended path would mean something else. */
const NOT_PLAIN = [
  ["a fragment that swallows what is appended", "https://h.example/pages/evil#"],
  ["a fragment", "https://h.example/a#b"],
  ["an empty query", "https://h.example/a?"],
  ["a query", "https://h.example?a=b"],
  ["a way up", "https://h.example/a/../b"],
  ["a way up at the end", "https://h.example/a/.."],
  ["a segment that is a dot", "https://h.example/./a"],
  ["a segment of three dots", "https://h.example/.../a"],
  ["an encoded way up", "https://h.example/a/%2e%2e/b"],
  ["an encoded letter", "https://h.example/%61"],
  ["an encoded slash", "https://h.example/a%2Fb"],
  ["an encoded host", "https://h%2eexample/"],
  ["a backslash", "https://h.example\\a"],
  ["a backslash in the path", "https://h.example/a\\..\\b"],
  ["capitals in the scheme", "HTTPS://h.example"],
  ["capitals in the host", "https://H.example"],
  ["a host that is not ASCII", "https://h\u00e9.example"],
  ["a full stop of another script", "https://h\u3002example"],
  ["a path that is not ASCII", "https://h.example/\u00e9"],
  ["a star in the host", "https://*.example"],
  ["a star in the path", "https://h.example/*"],
  ["a user", "https://user@h.example"],
  ["an empty user", "https://@h.example"],
  ["an empty password", "https://:@h.example"],
  ["the default port", "https://h.example:443"],
  ["the default port on loopback", "http://127.0.0.1:80"],
  ["an empty port", "https://h.example:"],
  ["a port with a zero before it", "https://h.example:08443"],
  ["a port that does not exist", "https://h.example:65536"],
  ["a dot after the host", "https://h.example./a"],
  ["an empty label", "https://h..example"],
  ["an empty segment", "https://h.example//a"],
  ["two slashes at the end", "https://h.example/a//"],
  ["three slashes before the host", "https:///h.example"],
  ["one slash before the host", "https:/h.example"],
  ["a space before it", " https://h.example"],
  ["a line break after it", "https://h.example\n"],
  ["a tab inside", "https://h.exa\tmple"],
  ["a semicolon", "https://h.example/a;b"],
  ["an at sign in the path", "https://h.example/a@b"],
  ["loopback in another spelling", "http://127.1"],
  ["loopback as a number", "http://2130706433"],
  ["IPv6 that is not compressed", "http://[0:0:0:0:0:0:0:1]"],
  ["http on another host", "http://h.example"],
] as const

describe("a plain URL", () => {
  test.each([
    "https://h.example",
    "https://h.example/",
    "https://h.example:8443",
    "https://ghes.example.com/_services/token",
    "https://h.example/tenant/v2.0/",
    "https://oidc.example/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
    "https://xn--h-bga.example",
    "https://10.0.0.1:8200",
    "https://[2001:db8::1]:8200",
    "http://127.0.0.1:8080/keys",
    "http://localhost:3000",
    "http://[::1]",
  ])("is %s", (text) => {
    expect(parsePlainUrl(text)?.href.replace(/\/$/, "")).toBe(text.replace(/\/$/, ""))
  })

  test.each(NOT_PLAIN)("has no %s: %j", (_, text) => {
    expect(parsePlainUrl(text)).toBeNull()
  })

  test("keeps what is appended in the path, on the same host, whatever the text was", () => {
    const piece = fc.constantFrom(
      ...["https:", "http:", "/", "//", "\\", "h", "H", ".example", ".", "..", "%2e", "#", "?", "@", ":", "443", "*"],
      ...["127.0.0.1", "localhost", "[::1]", "a", "\u00e9", " ", "\n", "~", "-", "_", ";"],
    )
    const nearly = fc.array(piece, { maxLength: 6 }).map((parts) => `https://h.example${parts.join("")}`)
    const any = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(""))
    fc.assert(
      fc.property(fc.oneof(nearly, any), (text) => {
        const url = parsePlainUrl(text)
        if (url === null) return
        const appended = new URL(`${text.replace(/\/$/, "")}/keys`)
        expect(appended.origin).toBe(url.origin)
        expect(appended.href).toBe(`${url.href.replace(/\/$/, "")}/keys`)
        expect(appended.pathname.endsWith("/keys")).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
