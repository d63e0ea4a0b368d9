import { completionOf } from "./completion.ts"
import type { CommandDeclaration, Section } from "./declaration.ts"
import { DEPLOYMENT_COMMANDS } from "./deployment.ts"
import { JOB_COMMANDS } from "./jobs.ts"
import { KEY_COMMANDS } from "./keys.ts"
import { MIGRATE_COMMANDS } from "./migrate.ts"
import { OPERATOR_COMMANDS } from "./operators.ts"
import { PEOPLE_COMMANDS } from "./people.ts"
import { POLICY_COMMANDS } from "./policies.ts"
import { REACH_COMMANDS } from "./reach.ts"
import { RECORD_COMMANDS } from "./record.ts"
import { SECRET_COMMANDS } from "./secrets.ts"

/** All commands, in the order of the overview. */
export const SECTIONS: readonly Section[] = [
  { title: "Write and check policies", page: "policies", commands: POLICY_COMMANDS },
  { title: "Ask what policies give", page: "reach", commands: REACH_COMMANDS },
  { title: "Use credentials", page: "jobs", commands: JOB_COMMANDS },
  { title: "Find secrets", page: "secrets", commands: SECRET_COMMANDS },
  { title: "Leave static secrets behind", page: "migrate", commands: MIGRATE_COMMANDS },
  { title: "Sign in as a person", page: "people", commands: PEOPLE_COMMANDS },
  { title: "Operate a broker", page: "operators", commands: [...OPERATOR_COMMANDS, ...KEY_COMMANDS] },
  { title: "Read the record", page: "record", commands: RECORD_COMMANDS },
  { title: "Set up a broker", page: "deployment", commands: DEPLOYMENT_COMMANDS },
  { title: "Set up the command line", page: "shell", commands: [completionOf(() => COMMANDS)] },
]

export const COMMANDS: readonly CommandDeclaration[] = SECTIONS.flatMap(({ commands }) => commands)
