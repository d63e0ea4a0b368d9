import type { ProviderCase } from "../case.ts"
import { data, held, loggedIn, minted, request, revocable, values } from "./recorded.ts"

/** How what was minted arrives. */
export const valueCases: readonly ProviderCase[] = [
  {
    name: "hands out what the grant names and nothing else, a list line after line",
    ...request,
    grant: {
      ...request.grant,
      env: { CA_CHAIN: { from: "ca_chain", as: "file" }, PGUSER: "username", PGPORT: "port" },
    },
    replies: [
      loggedIn(),
      ...held,
      minted({ data: { ...data, ca_chain: ["one", "two"], port: 5432, private_key_type: "ec", nothing: null } }),
    ],
    expect: {
      ...revocable,
      values: {
        CA_CHAIN: { secret: true, env: "CA_CHAIN", value: "one\ntwo", file: { mode: "0600" } },
        PGUSER: values.PGUSER,
        PGPORT: { secret: true, env: "PGPORT", value: "5432" },
      },
    },
  },
  {
    name: "hands out every value under its variable's name, be it that a field is named like another one's variable",
    ...request,
    grant: { ...request.grant, env: { password: "_odd", PGPASSWORD: "password" } },
    replies: [loggedIn(), ...held, minted({ data: { ...data, _odd: "the odd one" } })],
    expect: {
      ...revocable,
      values: {
        password: { secret: true, env: "password", value: "the odd one" },
        PGPASSWORD: values.PGPASSWORD,
      },
    },
  },
]
