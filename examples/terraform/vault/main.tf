# The Vault side of Daypass grants: trust in the broker, a role that reads secrets, and one that has users of a database made.
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
  description = "The connection's audience: its url, unless it names another"
  type        = string
}

variable "repository" {
  description = "owner/name, as in the policy"
  type        = string
}

variable "environment" {
  description = "The job's environment; - for jobs that run in none"
  type        = string
}

variable "secrets_grant" {
  description = "The name of the grant with read"
  type        = string
}

variable "database_grant" {
  description = "The name of the grant with dynamic"
  type        = string
}

variable "database_connection" {
  description = "A connection of the secrets engine at database/ that may be used by the role shop-rw"
  type        = string
}

locals {
  # Environments with characters other than letters, digits and . _ ~ - are percent-encoded: docs/wire.md
  subject = "repository:${var.repository}:environment:${var.environment}:grant:"
}

# Once a Vault, or a namespace.
resource "vault_jwt_auth_backend" "daypass" {
  path               = "jwt"
  oidc_discovery_url = var.broker_url
  bound_issuer       = var.broker_url
}

resource "vault_policy" "secrets" {
  name   = "shop-secrets"
  policy = <<-HCL
    # KV version 2 has data/ behind its mount, in policies; locators have not.
    path "secret/data/shop/*" { capabilities = ["read"] }
  HCL
}

resource "vault_jwt_auth_backend_role" "secrets" {
  backend         = vault_jwt_auth_backend.daypass.path
  role_name       = "shop-secrets"
  role_type       = "jwt"
  user_claim      = "sub"
  bound_audiences = [var.audience]

  # Without it, every grant of every repository behind the broker could log in with this role.
  bound_subject = "${local.subject}${var.secrets_grant}"

  # Batch tokens need no storage. They cannot be revoked, which reading does not need.
  token_type     = "batch"
  token_ttl      = 600
  token_policies = [vault_policy.secrets.name]
}

resource "vault_policy" "database" {
  name   = "shop-database"
  policy = <<-HCL
    path "database/creds/${vault_database_secret_backend_role.shop.name}" { capabilities = ["read"] }
    # So that a user is gone when the job's post step says so.
    path "sys/leases/revoke" { capabilities = ["update"] }
  HCL
}

resource "vault_jwt_auth_backend_role" "database" {
  backend         = vault_jwt_auth_backend.daypass.path
  role_name       = "shop-database"
  role_type       = "jwt"
  user_claim      = "sub"
  bound_audiences = [var.audience]
  bound_subject   = "${local.subject}${var.database_grant}"
  token_ttl       = 900
  token_policies  = [vault_policy.database.name]
}

# The connection lists where this mints: dynamic: { "database/creds/shop-rw": {} }
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
