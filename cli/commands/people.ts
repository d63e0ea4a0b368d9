import type { CommandDeclaration } from "./declaration.ts"

// Commands with which a person signs in.

const login: CommandDeclaration = {
  name: "login",
  summary: "sign in at your company's OpenID provider",
  about: `Signs you in at your company's OpenID provider. Then "daypass exec" gets credentials for you, by the policies for people.
Keeps the ID token until it expires, in one file that only you can read, and no refresh token.

DAYPASS_CLIENT_SECRET is the client's secret, where the provider gives one to programs, as Google does.`,
  options: {
    broker: { value: "URL", words: "the broker, which says where people sign in" },
    provider: { value: "NAME", words: "which provider, where the broker names several" },
    issuer: { value: "URL", words: "the provider, for a broker that cannot be asked; with --client-id" },
    "client-id": { value: "ID", words: "the client that people sign in to" },
    device: { words: "sign in on another device, with a code: for a machine without a browser" },
    "no-browser": { words: "print the address, and do not open it" },
    port: { value: "NUMBER", words: "the port that the browser comes back to, where the provider allows only one" },
    scope: {
      value: "SCOPES",
      words:
        'what to ask for, in quotes; by default "openid email profile", and "groups" where the provider knows it. offline_access is refused',
    },
  },
  forms: ["--broker URL [options]", "--issuer URL --client-id ID [options]"],
  exits: { 0: "signed in", 1: "not signed in", 2: "the arguments are wrong" },
  examples: ["daypass login --broker https://daypass.example.com"],
  page: "people.md",
  load: async () => (await import("../login/login.ts")).run,
}

const logout: CommandDeclaration = {
  name: "logout",
  summary: "delete the login",
  about: `Deletes what "daypass login" kept: the ID token and its key. Revokes nothing: a command that still runs ends what it got when
it ends. Your session at the provider stays: end it in your browser.`,
  exits: { 0: "there is no login any more", 2: "the arguments are wrong" },
  page: "people.md",
  load: async () => (await import("../login/logout.ts")).run,
}

const status: CommandDeclaration = {
  name: "status",
  summary: "say who is signed in, and until when",
  about: `Says who is signed in, where, and until when. A policy for one person names the id. It asks no server: the token is not verified
here.`,
  exits: { 0: "signed in", 1: "not signed in", 2: "the arguments are wrong" },
  page: "people.md",
  load: async () => (await import("../login/status.ts")).run,
}

export const PEOPLE_COMMANDS: readonly CommandDeclaration[] = [login, logout, status]
