# The Vault side of Daypass grants: trust in the broker, a role that reads secrets, one that creates users of a database, one
# that issues certificates, and one whose token the job gets.
# Explained in broker/providers/vault/README.md

terraform {
  required_version = ">= 1.5"
  required_providers {
    vault = {
      source  = "hashicorp/vault"
      version = ">= 4.0"
    }
  }
}

variable "broker_url" {
  description = "The broker's URL, exactly as in DAYPASS_URL: https, no slash at the end. Vault must reach it"
  type        = string

  validation {
    condition     = can(regex("^https://[^/?#].*[^/]$", var.broker_url))
    error_message = "The URL starts with https:// and does not end with a slash."
  }
}

variable "audience" {
  description = "The connection's audience. Default in the connection: its url"
  type        = string
}

variable "subjects" {
  description = "The sub of each grant's identity token, as daypass explain prints it: of the grant with read, the two with dynamic, and the one with token"
  type        = object({ secrets = string, database = string, tls = string, token = string })

  validation {
    condition     = alltrue([for one in values(var.subjects) : can(regex("^[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[^:*]+$", one))])
    error_message = "A subject is ISSUER:repository:ID:environment:NAME:grant:NAME, with the id of the repository and without stars."
  }
}

variable "database_connection" {
  description = "A connection of the secrets engine at database/ that the role shop-rw may use"
  type        = string
}

variable "tls_domain" {
  description = "The name in certificates of the role web, in the secrets engine at pki/"
  type        = string
}

# One per Vault server or namespace.
resource "vault_jwt_auth_backend" "daypass" {
  path               = "jwt"
  oidc_discovery_url = var.broker_url
  bound_issuer       = var.broker_url
}

resource "vault_policy" "secrets" {
  name   = "shop-secrets"
  policy = <<-HCL
    # In Vault's policies, KV version 2 has data/ after the mount. In locators it does not.
    path "secret/data/shop/*" { capabilities = ["read"] }
    path "team/kv/data/shop/*" { capabilities = ["read"] }
  HCL
}

resource "vault_jwt_auth_backend_role" "secrets" {
  backend         = vault_jwt_auth_backend.daypass.path
  role_name       = "shop-secrets"
  role_type       = "jwt"
  user_claim      = "sub"
  bound_audiences = [var.audience]

  # Without it, every grant of every repository that uses the broker could log in with this role.
  bound_subject = var.subjects.secrets

  # Batch tokens need no storage. They cannot be revoked, but a login for reading does not have to be.
  token_type     = "batch"
  token_ttl      = 600
  token_policies = [vault_policy.secrets.name]
}

resource "vault_policy" "database" {
  name   = "shop-database"
  policy = <<-HCL
    path "database/creds/${vault_database_secret_backend_role.shop.name}" { capabilities = ["read"] }
    # Then the user no longer exists when the job's post step reports the revocation.
    path "sys/leases/revoke" { capabilities = ["update"] }
  HCL
}

resource "vault_jwt_auth_backend_role" "database" {
  backend         = vault_jwt_auth_backend.daypass.path
  role_name       = "shop-database"
  role_type       = "jwt"
  user_claim      = "sub"
  bound_audiences = [var.audience]
  bound_subject   = var.subjects.database
  token_ttl       = 900
  token_policies  = [vault_policy.database.name]
}

# The connection lists this path: dynamic: { "database/creds/shop-rw": {} }
resource "vault_database_secret_backend_role" "shop" {
  backend = "database"
  name    = "shop-rw"
  db_name = var.database_connection

  creation_statements = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE shop_rw;",
  ]

  default_ttl = 900
  max_ttl     = 3600
}

resource "vault_policy" "tls" {
  name   = "shop-tls"
  policy = <<-HCL
    # update, because a grant with parameters sends a POST.
    path "pki/issue/${vault_pki_secret_backend_role.web.name}" { capabilities = ["update"] }
  HCL
}

resource "vault_jwt_auth_backend_role" "tls" {
  backend         = vault_jwt_auth_backend.daypass.path
  role_name       = "shop-tls"
  role_type       = "jwt"
  user_claim      = "sub"
  bound_audiences = [var.audience]
  bound_subject   = var.subjects.tls
  token_ttl       = 900
  token_policies  = [vault_policy.tls.name]
}

# In the connection: dynamic: { "pki/issue/web": { ttl_parameter: ttl } }
resource "vault_pki_secret_backend_role" "web" {
  backend            = "pki"
  name               = "web"
  allowed_domains    = [var.tls_domain]
  allow_bare_domains = true
  max_ttl            = 3600
}

resource "vault_policy" "terraform" {
  name   = "shop-terraform"
  policy = <<-HCL
    # Everything that the job may do with its token.
    path "secret/data/shop/*" { capabilities = ["read"] }
  HCL
}

resource "vault_jwt_auth_backend_role" "terraform" {
  backend         = vault_jwt_auth_backend.daypass.path
  role_name       = "shop-terraform"
  role_type       = "jwt"
  user_claim      = "sub"
  bound_audiences = [var.audience]
  bound_subject   = var.subjects.token
  token_ttl       = 900
  token_policies  = [vault_policy.terraform.name]

  # The job can renew its token, but not beyond this time. The broker still revokes it at the end.
  token_explicit_max_ttl = 900
}
