import { describe, expect, it } from "vitest"
import {
  LOGIN_TOOLS,
  type LoginParts,
  type LoginTool,
  loginValueFault,
  readLogin,
} from "../../broker/wire/tool-login.ts"

const PEM = `-----BEGIN CERTIFICATE-----\n${"MIIB".repeat(16)}\nAAA=\n-----END CERTIFICATE-----\n`
const GOOD: Readonly<Record<LoginTool, LoginParts>> = {
  docker: { host: "registry.example.com:5000", user: "robot$acme" },
  git: { host: "git.example.com:8443", user: "x-access-token" },
  netrc: { host: "pypi.example.com", user: "deploy@acme.example" },
  npmrc: { host: "registry.example.com:4873/api/npm/team_a" },
  kubeconfig: { server: "https://cluster.example.com:6443/k8s", certificate_authority: PEM, namespace: "shop" },
}

describe("a tool's login", () => {
  it.each(LOGIN_TOOLS)("of %s is read with exactly its parts", (tool) => {
    expect(readLogin(tool, GOOD[tool])).toEqual({ login: { tool, ...GOOD[tool] } })
  })

  it.each(LOGIN_TOOLS)("of %s needs its first part, and has none of another tool", (tool) => {
    const [first = ""] = Object.keys(GOOD[tool])
    expect(readLogin(tool, { ...GOOD[tool], [first]: undefined }).faults).toEqual([
      { field: first, fault: `as: ${tool} needs ${first}` },
    ])
    const other = tool === "kubeconfig" ? { user: "me" } : { namespace: "shop" }
    expect(readLogin(tool, { ...GOOD[tool], ...other }).faults).toHaveLength(1)
  })

  /** Each would become lines, quotes, patterns or paths of a configuration file. */
  const HOSTILE = [
    "",
    " ",
    "a b",
    "a\nb",
    "a\r\nhelper = evil",
    "a\u2028b",
    "a\0",
    'a"b',
    "a'b",
    "a\\b",
    "a#b",
    "a;b",
    "a=b",
    "a]b",
    "\u0024{HOME}",
    "$(id)",
    "../a",
    "a/../b",
    "a/./b",
    "a//b",
    "a/",
    "*.example.com",
    "https://a.example",
    "user@host",
    "-a",
    "a-",
    "A.example",
    "a..b",
    ".a",
    "é.example",
    "[::1]",
    "a:0",
    "a:99999",
    "a:1:2",
    "a?b",
    "a%0ab",
    `${"a".repeat(64)}.example`,
    "a.".repeat(300),
  ]
  it.each(LOGIN_TOOLS.filter((tool) => tool !== "kubeconfig"))("of %s has no host that is more than a host", (tool) => {
    for (const host of HOSTILE)
      expect(
        readLogin(tool, { ...GOOD[tool], host }).faults?.map(({ field }) => field),
        host,
      ).toEqual(["host"])
  })

  it.each(["docker", "git", "netrc"] as const)("of %s has no user that is more than a name", (tool) => {
    for (const user of ["", "a b", "a\nb", "a:b", "a'b", 'a"b', "a\\b", "a#b", "-a", "a\0", "é", "a".repeat(257)])
      expect(
        readLogin(tool, { ...GOOD[tool], user }).faults?.map(({ field }) => field),
        user,
      ).toEqual(["user"])
  })

  it("has no path or port where the tool has none", () => {
    expect(readLogin("netrc", { ...GOOD.netrc, host: "a.example:8443" }).faults).toHaveLength(1)
    for (const tool of ["docker", "git", "netrc"] as const)
      expect(readLogin(tool, { ...GOOD[tool], host: "a.example/path" }).faults).toHaveLength(1)
  })

  it.each<readonly [string, LoginParts]>([
    ["a server without TLS", { server: "http://cluster.example" }],
    ["a server with a user", { server: "https://me@cluster.example" }],
    ["a server with a query", { server: "https://cluster.example/?a=b" }],
    ["a server with a line break", { server: "https://cluster.example\n" }],
    ["a private key for its CA", { certificate_authority: PEM.replaceAll("CERTIFICATE", "PRIVATE KEY") }],
    ["text after its CA", { certificate_authority: `${PEM}\nmore: true` }],
    ["a path for its CA", { certificate_authority: "/etc/ssl/ca.pem" }],
    ["a namespace with a line break", { namespace: "a\nb" }],
    ["a namespace with a dot", { namespace: "a.b" }],
  ])("of kubeconfig never has %s", (_, part) => {
    const [field = ""] = Object.keys(part)
    expect(readLogin("kubeconfig", { ...GOOD.kubeconfig, ...part }).faults?.map((fault) => fault.field)).toEqual([
      field,
    ])
  })

  it("of a cluster goes without a CA and a namespace", () => {
    expect(readLogin("kubeconfig", { server: "https://kube.example" }).login).toEqual({
      tool: "kubeconfig",
      server: "https://kube.example",
    })
  })
})

describe("the value of a login", () => {
  it.each<readonly [LoginTool, readonly string[]]>([
    ["docker", ["p", "p w", '{\n"type": "service_account"\n}', "a:b", "é"]],
    ["git", ["p", "p w", "a:b'c\"#", "é"]],
    ["netrc", ["p", "a:b/c=;$(x)"]],
    ["npmrc", ["npm_AbC123", "9a3f-uuid", "a.b_c~d+e/f=="]],
    ["kubeconfig", ["eyJhbGciOi.eyJpc3Mi.c2ln-_"]],
  ])("of %s may be what the tool takes", (tool, values) => {
    for (const value of values) expect(loginValueFault(tool, value), value).toBeNull()
  })

  it.each<readonly [LoginTool, readonly string[]]>([
    ["docker", ["", " p", "p\n", "a\0b"]],
    ["git", ["", "p\n", "a\nhelper=evil", "a\rb", "a\0b", " p", "a\u0085b"]],
    ["netrc", ["", "a b", "a\nmachine b", "a#b", 'a"b', "a'b", "a\\b", "é"]],
    ["npmrc", ["", "a b", "a\nregistry=https://evil.example", "\u0024{HOME}", "a;b", "a#b", '"a"', "a=b"]],
    ["kubeconfig", ["", "a b", "a\nb", "é", "a=b"]],
  ])("of %s is refused with what would become more than a value, and is not quoted", (tool, values) => {
    for (const value of values) {
      const fault = loginValueFault(tool, value)
      expect(fault, JSON.stringify(value)).toContain(`${tool} cannot log in with it`)
      if (value.length > 3) expect(fault).not.toContain(value)
    }
  })
})
