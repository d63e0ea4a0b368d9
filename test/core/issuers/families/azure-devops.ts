import { azureDevops } from "../../../../broker/issuers/azure-devops/family.ts"
import run from "../../../vectors/claims/azure-devops.json" with { type: "json" }
import serviceConnection from "../../../vectors/claims/azure-devops-service-connection.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const OTHER = "11111111-2222-4333-8444-555555555555"

export const AZURE_DEVOPS_CASE: FamilyCase = {
  subject: "decides",
  family: azureDevops,
  config: {
    name: "azure-devops",
    family: "azure-devops",
    url: "https://vstoken.dev.azure.com/0ca3ddd9-f0b0-4635-a98c-5866526961b6",
    owners: new Map([["acme", "0ca3ddd9-f0b0-4635-a98c-5866526961b6"]]),
    repositoryPolicies: false,
    audience: "api://AzureADTokenExchange",
  },
  samples: [
    {
      name: "a run on main",
      claims: run,
      identity: {
        unitKind: "pipeline",
        unit: "acme/Shop Backend/deploy",
        unitId: "271ef6f7-5998-4b0f-86fb-4b54d9129990/1",
        owner: "acme",
        ownerId: "0ca3ddd9-f0b0-4635-a98c-5866526961b6",
        ref: "refs/heads/main",
        event: null,
        actor: null,
        runId: "5",
        runAttempt: "",
        cautions: [],
      },
      derived: { pipeline_id: "271ef6f7-5998-4b0f-86fb-4b54d9129990/1", organization: "acme", outsider: false },
    },
    {
      name: "a run for a pull request",
      claims: { ...run, rpo_ref: "refs/pull/7/merge" },
      identity: {
        ref: "refs/pull/7/merge",
        cautions: [{ fact: "outsider", why: "it builds a pull request", claim: "rpo_ref", value: "refs/pull/7/merge" }],
      },
      derived: { outsider: true },
    },
    {
      name: "a run whose token has its own claims of the derived names",
      claims: { ...run, pipeline_id: `${OTHER}/1`, organization: "evil", jti: undefined },
      identity: { unitId: "271ef6f7-5998-4b0f-86fb-4b54d9129990/1", owner: "acme" },
    },
  ],
  refused: [
    ["of a service connection", { sub: serviceConnection.sub }, "names a service connection"],
    ["with another organization's id than its issuer's", { org_id: OTHER }, "two different organizations"],
    ["with a text that ends like the issuer", { org_id: "b0-4635-a98c-5866526961b6" }, "two different organizations"],
    ["without an organization's id", { org_id: undefined }, "org_id is missing: ask for the pipeline's own token"],
    ["whose subject has two names", { sub: "p://acme/deploy" }, "sub must be p:// with the names"],
    ["whose subject has four names", { sub: "p://acme/Shop/deploy/x" }, "sub must be p:// with the names"],
    ["whose subject has an empty name", { sub: "p://acme//deploy" }, "sub must be p:// with the names"],
    ["whose subject is of no known kind", { sub: "x://acme/Shop/deploy" }, "sub must be p:// with the names"],
    ["whose project is no id", { prj_id: "Shop" }, "pipeline_id must be an id"],
    ["whose pipeline's id has a leading zero", { def_id: "01" }, "pipeline_id must be an id"],
    ["whose pipeline's id is a number", { def_id: 1 }, "def_id must be a string"],
    ["without a ref", { rpo_ref: undefined }, "rpo_ref is missing"],
    ["with an empty ref", { rpo_ref: "" }, "rpo_ref must not be empty"],
    ["whose run's id is a name", { run_id: "20260101.1" }, "run_id must be an id"],
  ],
}

/** What a service connection of the same organization gets. */
export const SERVICE_CONNECTION = serviceConnection
