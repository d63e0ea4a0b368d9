import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager"
import { GetParametersCommand, SSMClient } from "@aws-sdk/client-ssm"
import { fromTokenFile } from "@aws-sdk/credential-providers"
import { settings, tell } from "./tell.mjs"

const { secret, parameter, foreign, role, stranger } = settings
const read = async (client, id) => (await client.send(new GetSecretValueCommand({ SecretId: id }))).SecretString
const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env

await tell({
  secret: () => read(new SecretsManagerClient(), secret),
  async parameter() {
    const command = new GetParametersCommand({ Names: [parameter, "/none"], WithDecryption: true })
    const { Parameters, InvalidParameters } = await new SSMClient().send(command)
    return { values: Parameters.map(({ Value }) => Value), invalid: InvalidParameters }
  },
  byToken: () => read(new SecretsManagerClient({ credentials: fromTokenFile({ roleArn: role }) }), secret),
  foreign: () => read(new SecretsManagerClient(), foreign),
  wrongSession: () =>
    read(
      new SecretsManagerClient({
        credentials: {
          accessKeyId: AWS_ACCESS_KEY_ID,
          secretAccessKey: AWS_SECRET_ACCESS_KEY,
          sessionToken: "of-another-session",
        },
      }),
      secret,
    ),
  wrongKey: () =>
    read(
      new SecretsManagerClient({
        credentials: {
          accessKeyId: AWS_ACCESS_KEY_ID,
          secretAccessKey: `${AWS_SECRET_ACCESS_KEY}x`,
          sessionToken: process.env.AWS_SESSION_TOKEN,
        },
      }),
      secret,
    ),
  stranger: () => read(new SecretsManagerClient({ credentials: fromTokenFile({ roleArn: stranger }) }), secret),
})
