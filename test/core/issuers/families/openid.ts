import { openid } from "../../../../broker/issuers/openid/family.ts"
import type { FamilyCase } from "./family-case.ts"

const CLIENT = "daypass-cli"
const ISSUER = "https://sso.example.com/realms/acme"
const IAT = 1_800_000_000

/** Keycloak's, with the mappers for groups and addresses that it offers. */
const keycloak = {
  exp: IAT + 300,
  iat: IAT,
  auth_time: IAT - 5,
  jti: "5c1c3b1e-1c7d-4a4e-8f0e-2f3a2d6f2f10",
  iss: ISSUER,
  aud: CLIENT,
  sub: "f4a3c9de-6f0b-4b7e-9c1d-0d7c1f0e5a11",
  typ: "ID",
  azp: CLIENT,
  nonce: "Yb1pIu1TgMl0kqzTqJq9vTzFZ0mFhB3cE8vGm3p2b0s",
  acr: "1",
  email_verified: true,
  name: "Person Example",
  preferred_username: "person",
  email: "person@example.com",
  groups: ["engineering", "on-call"],
}

export const OPENID_CASE: FamilyCase = {
  family: openid,
  config: {
    name: "staff",
    family: "openid",
    url: ISSUER,
    owners: new Map([["sso.example.com", ISSUER]]),
    audience: CLIENT,
    maxTokenLifetimeSeconds: 86_400,
    repositoryPolicies: false,
  },
  samples: [
    {
      name: "Keycloak",
      claims: keycloak,
      identity: {
        unitKind: "person",
        unit: "person@example.com",
        unitId: keycloak.sub,
        owner: "sso.example.com",
        ownerId: ISSUER,
        actor: "person@example.com",
        actorId: keycloak.sub,
        ref: null,
        event: null,
        runId: "",
        runAttempt: "",
        cautions: [],
      },
      derived: { email: "person@example.com", email_verified: true, outsider: false, interactive: false },
    },
    {
      name: "a provider that sends email_verified as a text",
      claims: { ...keycloak, email_verified: "true" },
      identity: { unit: "person@example.com" },
      derived: { email_verified: true },
    },
    {
      name: "Entra ID, which does not verify addresses",
      claims: {
        iss: ISSUER,
        aud: CLIENT,
        exp: IAT + 3_900,
        iat: IAT,
        nbf: IAT,
        sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        oid: "00000000-0000-0000-66f3-3332eca7ea81",
        tid: "9122040d-6c67-4c5b-b112-36a304b66dad",
        email: "person@example.com",
        preferred_username: "person@example.com",
        groups: ["3c5f0a0e-0d0c-4f8c-8e8b-6d8d6f5f4e11"],
        uti: "x",
        ver: "2.0",
      },
      identity: { unit: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", actor: null },
      derived: { email: null },
    },
    {
      name: "an address that the provider did not verify",
      claims: { ...keycloak, email_verified: false },
      identity: { unit: keycloak.sub, actor: null },
      derived: { email: null, email_verified: false },
    },
    {
      name: "the least that a provider must send",
      claims: { iss: ISSUER, aud: [CLIENT], exp: IAT + 300, iat: IAT, sub: "auth0|42" },
      identity: { unit: "auth0|42", unitId: "auth0|42", actor: null, actorId: "auth0|42" },
    },
  ],
  refused: [
    [
      "for a client whose id looks like ours with a thumbprint",
      { aud: `${CLIENT}?jkt=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs`, azp: undefined },
      "the claim aud must be the client",
    ],
    ["for another client", { azp: "another-client" }, "azp must be the client"],
    [
      "of a service account of Google that chose our audience",
      { azp: "107517467455664443765", sub: "107517467455664443765", email: "job@project.iam.gserviceaccount.com" },
      "azp must be the client",
    ],
    ["of a service, with an azp that is a number", { azp: 41 }, "the claim azp must be a string"],
    ["that is Keycloak's access token", { typ: "Bearer", scope: "openid" }, "show the ID token"],
    [
      "that is an access token by RFC 9068",
      { typ: undefined, scope: "openid", client_id: CLIENT },
      "show the ID token",
    ],
    ["that is an access token of Entra ID", { typ: undefined, scp: "access_as_user" }, "show the ID token"],
    [
      "that is a notice of a logout",
      { typ: undefined, events: { "http://schemas.openid.net/event/backchannel-logout": {} } },
      "show the ID token",
    ],
    ["without a sub", { sub: undefined }, "the claim sub is missing"],
    ["with an empty sub", { sub: "" }, "the claim sub must be an id"],
    ["with a sub that has a space", { sub: "a b" }, "the claim sub must be an id"],
    ["with a sub outside of ASCII", { sub: "pers\u00f6n" }, "the claim sub must be an id"],
    ["with a sub of 256 characters", { sub: "a".repeat(256) }, "the claim sub must be an id"],
    ["with a sub that is a number", { sub: 41 }, "the claim sub must be a string"],
    ["with email_verified as another text", { email_verified: "yes" }, "email_verified must be true or false"],
    ["with email_verified as a number", { email_verified: 1 }, "email_verified must be true or false"],
    ["with groups as a text", { groups: "engineering" }, "the claim groups must be a list of strings"],
    ["with groups as objects", { groups: [{ id: 1 }] }, "the claim groups must be a list of strings"],
    ["with an empty address", { email: "" }, "the claim email must be a name"],
    ["with an address as a list", { email: ["person@example.com"] }, "the claim email must be a string"],
  ],
}
