/**
 * The `sub` that the role of the flow suite trusts of each CI, as an administrator of AWS would write it out: ids alone, so a
 * renamed project keeps the role and one that takes its name does not get it.
 */
export const SUBJECT_OF = {
  gitlab: "gitlab:project:42:environment:production:grant:aws-deploy",
  cluster: "cluster:service_account:9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35:environment:-:grant:aws-deploy",
  buildkite: "buildkite:pipeline:0184990a-4782-42b5-afc1-16715b10b1a0:environment:-:grant:aws-deploy",
  jenkins:
    "jenkins:job:https%3A%2F%2Fjenkins.example.com%2Fjob%2Fshop%2Fjob%2Fdeploy%2F:environment:production:grant:aws-deploy",
  terraform: "terraform:workspace:ws-mbsd5E3Ktt5Rg2Xm:environment:apply:grant:aws-deploy",
  circleci: "circleci:project:22222222-2222-4222-8222-222222222222:environment:-:grant:aws-deploy",
  azure: "azure-devops:pipeline:271ef6f7-5998-4b0f-86fb-4b54d9129990%2F1:environment:-:grant:aws-deploy",
} as const

export const SUBJECTS: readonly string[] = Object.values(SUBJECT_OF)
