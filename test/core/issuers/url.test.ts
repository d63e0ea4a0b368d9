import { expect, test } from "vitest"
import { isHttpsOrLoopback } from "../../../broker/core/url.ts"

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
