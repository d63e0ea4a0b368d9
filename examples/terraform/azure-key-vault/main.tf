# The Azure side of reading secrets: a separate application, trust in the broker for one grant of one
# environment or for a few, and the right to read some secrets of a vault with role-based access.
# Explained in broker/providers/azure/key-vault/README.md

terraform {
  required_version = ">= 1.5"
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = ">= 3.0"
    }
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.0"
    }
  }
}

variable "broker_url" {
  description = "The broker's URL, exactly as in DAYPASS_URL: https, no slash at the end"
  type        = string

  validation {
    condition     = can(regex("^https://[^/?#].*[^/]$", var.broker_url))
    error_message = "The URL starts with https:// and does not end with a slash."
  }
}

variable "subjects" {
  description = "The sub of the identity token of each grant that this is for, as daypass explain prints it"
  type        = set(string)

  validation {
    condition     = length(var.subjects) > 0 && length(var.subjects) <= 20 && alltrue([for one in var.subjects : can(regex("^[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[^:*]+$", one)) && length(one) <= 600])
    error_message = "A subject is ISSUER:repository:ID:environment:NAME:grant:NAME, with the id of the repository and without stars, with at most 600 characters, and an application has at most 20 of them."
  }
}

variable "name" {
  description = "The application's name"
  type        = string
}

variable "audience" {
  description = "The connection's audience. It must be different if another connection of the tenant has federated_tokens: true"
  type        = string
  default     = "api://AzureADTokenExchange"
}

variable "vault" {
  description = "The vault's name, as in the connection"
  type        = string
}

variable "resource_group" {
  description = "The vault's resource group"
  type        = string
}

variable "secrets" {
  description = "Names of the secrets that the grant reads"
  type        = set(string)
}

data "azurerm_key_vault" "vault" {
  name                = var.vault
  resource_group_name = var.resource_group
}

resource "azuread_application" "reader" {
  display_name = var.name
}

resource "azuread_service_principal" "reader" {
  client_id = azuread_application.reader.client_id
}

# One for each grant. Issuer, subject and audience must be exactly those of the broker's token, also in upper and lower case.
resource "azuread_application_federated_identity_credential" "daypass" {
  for_each = var.subjects

  application_id = azuread_application.reader.id
  display_name   = "daypass-${substr(sha256(each.value), 0, 16)}"
  issuer         = var.broker_url
  subject        = each.value
  audiences      = [var.audience]
}

# A role on each secret, not on the vault: this client cannot read the vault's other secrets.
resource "azurerm_role_assignment" "reader" {
  for_each = var.secrets

  scope                = "${data.azurerm_key_vault.vault.id}/secrets/${each.value}"
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azuread_service_principal.reader.object_id
}

output "client_id" {
  description = "Goes into the connection as client_id:"
  value       = azuread_application.reader.client_id
}
