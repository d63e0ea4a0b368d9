import { type ExpectedCall, FOREIGN_TEXT, type ProviderCase, type Reply } from "../../case.ts"
import { handingOutNothing } from "../../case-store.ts"
import { wholeStories } from "../../case-whole.ts"
import { answered, loggedIn, refusedWith } from "../recorded.ts"
import { ARN, connection, login, parameter } from "./recorded.ts"

const PATH = "/shop/stripe/"

const page = (values: Readonly<Record<string, string>>, token?: string): Reply =>
  answered({
    Parameters: Object.entries(values).map(([name, text]) => parameter(`${PATH}${name}`, { Value: text })),
    ...(token === undefined ? {} : { NextToken: token }),
  })

const pageCall = (token?: string): ExpectedCall => ({
  method: "POST",
  url: "https://ssm.eu-west-1.amazonaws.com/",
  headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AmazonSSM.GetParametersByPath" },
  bodyHolds: [
    JSON.stringify({
      Path: "/shop/stripe",
      Recursive: false,
      WithDecryption: true,
      MaxResults: 10,
      ...(token === undefined ? {} : { NextToken: token }),
    }),
  ],
})

const request = { connection, grant: { read_all: { from: PATH, prefix: "STRIPE_" } }, ttlSeconds: 900 }
const minted = (values: Readonly<Record<string, string>>) => ({
  values: Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`STRIPE_${name}`, { secret: true, env: `STRIPE_${name}`, value }]),
  ),
  revocation: "expires-only" as const,
  expiresAt: null,
})

const spoiled = handingOutNothing(request, loggedIn)(
  ["a parameter of another path", [answered({ Parameters: [parameter("/shop/bank/key")] })]],
  ["a parameter of a deeper level", [answered({ Parameters: [parameter(`${PATH}old/key`)] })]],
  ["a parameter whose path only begins alike", [answered({ Parameters: [parameter("/shop/stripe-eu/key")] })]],
  [
    "a parameter of another account",
    [answered({ Parameters: [parameter(`${PATH}k`, { ARN: `${ARN}${PATH}k`.replace("1111", "9999") })] })],
  ],
  ["a token of a next page that is no text", [answered({ Parameters: [], NextToken: 7 })]],
  ["pages without an end", Array.from({ length: 32 }, (_, at) => page({}, `token-${at}`))],
)

/** Stories of a path that is read as a whole: pages, their end, and what does not belong there. */
export const wholeCases: readonly ProviderCase[] = [
  ...wholeStories({
    way: { connection },
    from: PATH,
    before: [loggedIn],
    found: page,
    calls: [login, pageCall()],
    denied: refusedWith(400, "AccessDeniedException"),
  }),
  {
    name: "reads the pages of a path, of which one is empty, with one login",
    ...request,
    replies: [loggedIn, page({ a: "value 1", b: "value 2" }, "second"), page({}, "third"), page({ c: "value 3" })],
    calls: [login, pageCall(), pageCall("second"), pageCall("third")],
    expect: minted({ A: "value 1", B: "value 2", C: "value 3" }),
  },
  {
    name: "asks for a page again, and not for the pages before it, after a failure",
    ...request,
    replies: [
      loggedIn,
      page({ a: "value 1" }, "second"),
      refusedWith(400, "ThrottlingException"),
      page({ b: "value 2" }),
    ],
    calls: [login, pageCall(), pageCall("second"), pageCall("second")],
    expect: minted({ A: "value 1", B: "value 2" }),
  },
  {
    name: "asks for no further page when there are already too many parameters",
    ...request,
    replies: [
      loggedIn,
      ...Array.from({ length: 7 }, (_, at) =>
        page(Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`n${at}-${n}`, FOREIGN_TEXT])), `token-${at}`),
      ),
    ],
    expect: { code: "secret_unusable", detailHolds: "at most 64 variables" },
  },
  {
    name: "names the action that the role needs for a path",
    ...request,
    replies: [loggedIn, refusedWith(400, "AccessDeniedException")],
    expect: {
      code: "provider_denied",
      detailHolds: `for ${PATH}: the connection's role needs ssm:GetParametersByPath`,
    },
  },
  {
    name: "says a parameter of a path is public where the connection says so of its type",
    ...request,
    connection: { ...connection, plain_is_public: true },
    replies: [loggedIn, answered({ Parameters: [parameter(`${PATH}region`, { Type: "String", Value: "eu" })] })],
    expect: { ...minted({}), values: { STRIPE_REGION: { secret: false, env: "STRIPE_REGION", value: "eu" } } },
  },
  ...spoiled,
]
