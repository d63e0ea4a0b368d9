import { describe, expect, it } from "vitest"
import type { WarningCode } from "../../../analysis/warnings/warning.ts"
import { checked, type Files, organisation, policy, roled } from "./checked.ts"

const GHES =
  '  ghes: { family: github-actions, url: https://ghes.acme.example/_services/token, owners: { acme: "9001" } }\n'
const boundary = (role: string) =>
  `boundaries:\n  - name: all\n    when: { repository: "acme/s*" }\n    allow: [{ connection: aws, role: "arn:aws:iam::111122223333:role/${role}" }]\n`

/** The one message with this code, when policies name their issuer and when there is only one. */
const messages = (code: WarningCode, files: Files, more = ""): readonly string[] =>
  ["", GHES].map((issuer) => {
    const named = Object.entries(files).map(([file, text]) => [
      file,
      issuer === "" ? text : text.replace("repository:", "issuer: ghes\nrepository:"),
    ])
    const all = { "daypass.yaml": organisation(more, { issuer }), ...Object.fromEntries(named) }
    return checked(all)
      .warnings.flatMap((one) => (one.code === code ? [one.message] : []))
      .join("\n")
  })

const wide = { repository: "acme/svc-*" }

describe("a warning names the issuer where the organisation file lists several:", () => {
  it.each<readonly [string, WarningCode, Files, string, string, string]>([
    [
      "whose owner is not listed",
      "owner_unlisted",
      { "p.yaml": roled("x", { repository: "labs/shop" }) },
      "",
      'does not list the owner "labs", so the broker',
      'does not list the owner "labs" of issuer ghes, so the broker',
    ],
    [
      "over which repository there is no boundary",
      "no_boundary",
      { "p.yaml": roled("x", { repository: "acme/web" }) },
      boundary("x"),
      "No boundary covers acme/web,",
      "No boundary covers acme/web (issuer ghes),",
    ],
    [
      "whose patterns overlap",
      "grant_overlap",
      { "p.yaml": roled("x", wide), "q.yaml": roled("x", { repository: "acme/*-api" }) },
      "",
      "acme/*-api and acme/svc-* (p.yaml)",
      "acme/*-api (issuer ghes) and acme/svc-* (p.yaml)",
    ],
    [
      "which repository escapes a deny",
      "name_without_id",
      { "p.yaml": policy("deny:\n  - { name: freeze }\n", wide), "q.yaml": roled("x", { repository: "acme/svc-pay" }) },
      "",
      "q.yaml gives grants to acme/svc-pay by its id",
      "q.yaml gives grants to acme/svc-pay (issuer ghes) by its id",
    ],
    [
      "of whom an example is",
      "grant_unreachable",
      { "p.yaml": roled("x") },
      boundary("y"),
      "For example: repository=acme/shop",
      "For example, a job of issuer ghes: repository=acme/shop",
    ],
  ])("%s", (_, code, files, more, ofOne, ofSeveral) => {
    const [one, several] = messages(code, files, more)
    expect(one).toContain(ofOne)
    expect(one).not.toContain("issuer")
    expect(several).toContain(ofSeveral)
  })
})
