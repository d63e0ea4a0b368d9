import { describe, expect, test } from "vitest"
import { discoveryUrlOf, readDiscovery } from "../../../broker/issuers/discovery.ts"
import { utf8 } from "./fixture.ts"

const read = (issuerUrl: string, document: unknown) => readDiscovery(utf8(JSON.stringify(document)), issuerUrl)

test.each([
  [
    "https://token.actions.githubusercontent.com",
    "https://token.actions.githubusercontent.com/.well-known/openid-configuration",
  ],
  [
    "https://ghes.example.com/_services/token",
    "https://ghes.example.com/_services/token/.well-known/openid-configuration",
  ],
  ["https://issuer.example/", "https://issuer.example/.well-known/openid-configuration"],
])("the discovery document of %s stands at %s", (issuerUrl, url) => {
  expect(discoveryUrlOf(issuerUrl)).toBe(url)
})

describe("a jwks_uri is believed", () => {
  test.each([
    [
      "github.com",
      "https://token.actions.githubusercontent.com",
      "https://token.actions.githubusercontent.com/.well-known/jwks",
    ],
    [
      "an enterprise, whose keys stay at the root",
      "https://token.actions.githubusercontent.com/octocat-inc",
      "https://token.actions.githubusercontent.com/.well-known/jwks",
    ],
    ["GHES", "https://ghes.example.com/_services/token", "https://ghes.example.com/_services/token/.well-known/jwks"],
    ["ghe.com", "https://token.actions.octocorp.ghe.com", "https://token.actions.octocorp.ghe.com/.well-known/jwks"],
    ["a port of its own", "https://issuer.example:8443", "https://issuer.example:8443/keys"],
    ["an issuer on this machine", "http://127.0.0.1:4000", "http://127.0.0.1:4000/keys"],
  ])("of %s", (_, issuerUrl, jwksUrl) => {
    expect(read(issuerUrl, { issuer: issuerUrl, jwks_uri: jwksUrl })).toEqual({ ok: true, value: jwksUrl })
  })
})

describe("a discovery document is refused", () => {
  const own = "https://issuer.example/path"
  test.each([
    [
      "of another issuer",
      { issuer: "https://issuer.example", jwks_uri: "https://issuer.example/keys" },
      "names another issuer",
    ],
    [
      "of the issuer with a slash behind",
      { issuer: `${own}/`, jwks_uri: "https://issuer.example/keys" },
      "names another issuer",
    ],
    ["of nobody", { jwks_uri: "https://issuer.example/keys" }, "names another issuer"],
    ["of several", { issuer: [own], jwks_uri: "https://issuer.example/keys" }, "names another issuer"],
    ["without keys", { issuer: own }, "no jwks_uri"],
    ["with a list of places", { issuer: own, jwks_uri: ["https://issuer.example/keys"] }, "no jwks_uri"],
    [
      "that points to another host",
      { issuer: own, jwks_uri: "https://attacker.example/keys" },
      "must be on the issuer's own host and port",
    ],
    [
      "that points to a host below its own",
      { issuer: own, jwks_uri: "https://keys.issuer.example/keys" },
      "must be on the issuer's own host and port",
    ],
    [
      "that points to a host that begins as its own",
      { issuer: own, jwks_uri: "https://issuer.example.attacker.example/" },
      "must be on the issuer's own host and port",
    ],
    [
      "that points to another port",
      { issuer: own, jwks_uri: "https://issuer.example:8443/keys" },
      "must be on the issuer's own host and port",
    ],
    [
      "that points to itself without https",
      { issuer: own, jwks_uri: "http://issuer.example/keys" },
      "must be an https URL",
    ],
    [
      "that points to this machine",
      { issuer: own, jwks_uri: "http://127.0.0.1/keys" },
      "must be on the issuer's own host and port",
    ],
    [
      "that points to the metadata of the machine",
      { issuer: own, jwks_uri: "http://169.254.169.254/latest" },
      "must be an https URL",
    ],
    ["that points to a file", { issuer: own, jwks_uri: "file:///etc/passwd" }, "must be an https URL"],
    [
      "that hides a host behind a user",
      { issuer: own, jwks_uri: "https://issuer.example@attacker.example/" },
      "must be an https URL",
    ],
    [
      "that points to keys before a fragment",
      { issuer: own, jwks_uri: "https://issuer.example/keys#x" },
      "must be an https URL",
    ],
    ["that points up", { issuer: own, jwks_uri: "https://issuer.example/path/../keys" }, "must be an https URL"],
    ["that points nowhere", { issuer: own, jwks_uri: "/keys" }, "must be an https URL"],
    ["that is no object", [], "not a JSON object"],
  ])("%s", (_, document, fault) => {
    expect(read(own, document)).toMatchObject({ ok: false, fault: expect.stringContaining(fault) })
  })
})
