import type { ProviderCase } from "../case.ts"
import { connection, given, grant, installation, minted, request, secrets, TOKEN } from "./recorded.ts"

/** Stories of tokens with which tools log in. */
export const logins: readonly ProviderCase[] = [
  {
    name: "hands the token to the tools that the grant names, and to no variable",
    ...request,
    grant: { ...grant, as: ["git", "netrc", "git"] },
    replies: [installation(), given()],
    expect: {
      ...minted,
      values: {
        token: {
          secret: true,
          value: TOKEN,
          logins: [
            { tool: "git", host: "github.com", user: "x-access-token" },
            { tool: "netrc", host: "github.com", user: "x-access-token" },
          ],
        },
      },
    },
  },
  {
    name: "hands the token to git at the connection's own GitHub, and to the variable that the grant names",
    connection: { ...connection, api_url: "https://api.acme.ghe.com" },
    grant: { ...grant, as: "git", env: "GH_TOKEN" },
    secrets,
    ttlSeconds: 600,
    replies: [installation(), given()],
    expect: {
      ...minted,
      values: {
        token: {
          secret: true,
          env: "GH_TOKEN",
          logins: [{ tool: "git", host: "acme.ghe.com", user: "x-access-token" }],
        },
      },
    },
  },
]
