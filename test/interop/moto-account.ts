import { AwsClient, AwsV4Signer } from "aws4fetch"

// An account of moto's, and what stands in its stores; made through moto's own API.

const ACCOUNT = "111122223333"
const ADMIN = `arn:aws:iam::${ACCOUNT}:role/admin`
const REGION = "eu-west-1"

export const READER = `arn:aws:iam::${ACCOUNT}:role/daypass-read`
export const VERSION = "a1b2c3d4-5678-90ab-cdef-1234567890ab"
export const STRIPE = { now: "sk_live_of-the-shop-2", before: "sk_live_of-the-shop-1" }
export const KEYSTORE = Buffer.from([0xfe, 0xed, 0xfe, 0xed, 0, 255])
/** Two more than one call may ask for. */
export const NAMES = Array.from({ length: 12 }, (_, index) => `/shop/key-${index}`)

const READING = ["secretsmanager:GetSecretValue", "ssm:GetParameters", "ssm:GetParametersByPath", "s3:PutObject"]

export interface MotoAccount {
  /** One call of a service that speaks JSON. */
  call(target: string, input: object): Promise<unknown>
  /** The same, signed with a secret key that is not the administrator's. */
  callWithAnotherKey(target: string, input: object): Promise<{ readonly status: number; readonly body: string }>
  /** Makes a bucket of S3. */
  makeBucket(name: string): Promise<void>
  /** The texts in a bucket, by their keys. */
  objectsIn(bucket: string): Promise<Readonly<Record<string, string>>>
  /** Headers that sign a form for STS, as an administrator. */
  signForm(form: string): Promise<Readonly<Record<string, string>>>
  /** From now on moto verifies every signature, and every caller's permissions. */
  demandSignatures(): Promise<void>
  /** Takes an action away from the role that reads. */
  forbidReading(action: string): Promise<void>
}

/** Makes two roles in an account of moto's: an administrator, who does all of this, and one that reads the stores. */
export async function openAccount(moto: string): Promise<MotoAccount> {
  const nobody = new AwsClient({
    accessKeyId: "AKIAEXAMPLEEXAMPLE00",
    secretAccessKey: "x",
    region: REGION,
    retries: 0,
  })
  const form = (client: AwsClient, service: string, parameters: Readonly<Record<string, string>>) => {
    // moto verifies the form as it writes it itself, with a star escaped.
    const body = new URLSearchParams(parameters).toString().replaceAll("*", "%2A")
    return textOf(client.fetch(moto, { method: "POST", body, headers: FORM, aws: { service } }))
  }
  const assumed = await form(nobody, "sts", {
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: ADMIN,
    RoleSessionName: "admin",
  })
  const part = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(assumed)?.[1] ?? ""
  const credentials = {
    accessKeyId: part("AccessKeyId"),
    secretAccessKey: part("SecretAccessKey"),
    sessionToken: part("SessionToken"),
  }
  const ask = (client: AwsClient, target: string, input: object) => {
    const service = target.startsWith("AmazonSSM.") ? "ssm" : "secretsmanager"
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target }
    return client.fetch(moto, { method: "POST", body: JSON.stringify(input), headers, aws: { service } })
  }
  const admin = new AwsClient({ ...credentials, region: REGION, retries: 0 })
  const iam = (parameters: Readonly<Record<string, string>>) =>
    form(admin, "iam", { Version: "2010-05-08", ...parameters })
  const allow = (role: string, actions: readonly string[]) =>
    iam({
      Action: "PutRolePolicy",
      RoleName: role,
      PolicyName: "all",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
      }),
    })
  for (const [role, actions] of [
    ["admin", ["*"]],
    ["daypass-read", READING],
  ] as const) {
    await iam({
      Action: "CreateRole",
      RoleName: role,
      AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}',
    })
    await allow(role, actions)
  }
  return {
    async call(target, input) {
      return JSON.parse(await textOf(ask(admin, target, input)))
    },
    async callWithAnotherKey(target, input) {
      const impostor = new AwsClient({ ...credentials, secretAccessKey: "x", region: REGION, retries: 0 })
      const answer = await ask(impostor, target, input)
      return { status: answer.status, body: await answer.text() }
    },
    async makeBucket(name) {
      const body = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`
      await textOf(admin.fetch(`${moto}/${name}`, { method: "PUT", body, aws: { service: "s3" } }))
    },
    async objectsIn(bucket) {
      const get = (path: string) => textOf(admin.fetch(`${moto}/${bucket}${path}`, { aws: { service: "s3" } }))
      const keys = [...(await get("?list-type=2")).matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key = ""]) => key)
      return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await get(`/${key}`)] as const)))
    },
    async signForm(body) {
      const at = { url: "https://sts.amazonaws.com/", method: "POST", service: "sts", region: "us-east-1" }
      const { headers } = await new AwsV4Signer({ ...at, ...credentials, headers: FORM, body }).sign()
      return Object.fromEntries(headers)
    },
    async demandSignatures() {
      await textOf(fetch(`${moto}/moto-api/reset-auth`, { method: "POST", body: "0" }))
    },
    async forbidReading(action) {
      await allow(
        "daypass-read",
        READING.filter((one) => one !== action),
      )
    },
  }
}

/** Secrets and parameters of every kind, in several versions, one of them gone. */
export async function fillStores({ call }: MotoAccount): Promise<void> {
  const json = (key: string) => JSON.stringify({ api_key: key, port: 5432 })
  await call("secretsmanager.CreateSecret", {
    Name: "shop/stripe",
    SecretString: json(STRIPE.before),
    ClientRequestToken: VERSION,
  })
  await call("secretsmanager.PutSecretValue", { SecretId: "shop/stripe", SecretString: json(STRIPE.now) })
  await call("secretsmanager.CreateSecret", { Name: "shop/keystore", SecretBinary: KEYSTORE.toString("base64") })
  await call("secretsmanager.CreateSecret", { Name: "plain", SecretString: "a plain text" })
  await call("secretsmanager.CreateSecret", { Name: "shop/gone", SecretString: "gone" })
  await call("secretsmanager.DeleteSecret", { SecretId: "shop/gone", RecoveryWindowInDays: 7 })

  const put = (Name: string, Type: string, Value: string) => call("AmazonSSM.PutParameter", { Name, Type, Value })
  await put("/shop/key-0", "SecureString", "first")
  await call("AmazonSSM.LabelParameterVersion", { Name: "/shop/key-0", ParameterVersion: 1, Labels: ["live"] })
  await call("AmazonSSM.PutParameter", { Name: "/shop/key-0", Value: "value 0", Overwrite: true })
  for (const [index, name] of NAMES.entries()) if (index > 0) await put(name, "SecureString", `value ${index}`)
  for (const [index] of NAMES.entries()) await put(`/shop/whole/key-${index}`, "SecureString", `whole ${index}`)
  await put("/shop/whole/below/key", "SecureString", "below")
  await put("/shop/clash/api-key", "SecureString", "one")
  await put("/shop/clash/api_key", "SecureString", "two")
  await put("region", "String", "eu-west-1")
  await put("/shop/zones", "StringList", "a,b")
  await put("/shop/db", "SecureString", '{"user":"shop"}')
}

const FORM = { "content-type": "application/x-www-form-urlencoded" }

async function textOf(response: Promise<Response>): Promise<string> {
  const answer = await response
  const text = await answer.text()
  if (!answer.ok) throw new Error(`moto answered ${answer.status}: ${text}`)
  return text
}
