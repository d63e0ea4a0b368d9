# A role with which only the broker reads secrets and parameters of this account, for some grants.
# Explained in broker/providers/aws/secrets-manager/README.md and broker/providers/aws/parameter-store/README.md

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
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
    condition     = length(var.subjects) > 0 && alltrue([for one in var.subjects : can(regex("^[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[^:*]+$", one)) && length(one) <= 255])
    error_message = "A subject is ISSUER:repository:ID:environment:NAME:grant:NAME, with the id of the repository and without stars, and AWS takes at most 255 characters."
  }
}

variable "role_name" {
  description = "The role that the connection names"
  type        = string
  default     = "daypass-read"
}

variable "secrets" {
  description = "Names of secrets in Secrets Manager, spelled as in locators. A star matches any text"
  type        = list(string)
  default     = []
}

variable "parameters" {
  description = "Names of parameters in Parameter Store, spelled as in locators. A star matches any text"
  type        = list(string)
  default     = []
}

variable "parameter_paths" {
  description = "Paths in Parameter Store that grants read as a whole, such as /shop/db. AWS then allows all levels below them"
  type        = list(string)
  default     = []
}

variable "kms_keys" {
  description = "ARNs of your KMS keys that encrypt these secrets and parameters. AWS's own keys need no permission"
  type        = list(string)
  default     = []
}

locals {
  # IAM names the provider, and the keys of its conditions, by the URL without its scheme.
  broker = trimprefix(var.broker_url, "https://")

  # Not the audience of STS: with it, a grant of a connection with provider: aws could give this role to a job.
  audience = "daypass-aws-stores"

  here = "${data.aws_region.here.region}:${data.aws_caller_identity.here.account_id}"
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

# One per account: the first use of examples/terraform/aws creates it.
data "aws_iam_openid_connect_provider" "daypass" {
  url = var.broker_url
}

check "audience" {
  assert {
    condition     = contains(data.aws_iam_openid_connect_provider.daypass.client_id_list, local.audience)
    error_message = "Add ${local.audience} to the audiences of examples/terraform/aws, which makes the account's OIDC provider for the broker."
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    # TagSession, because the broker sends the job's facts as session tags.
    actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]

    principals {
      type        = "Federated"
      identifiers = [data.aws_iam_openid_connect_provider.daypass.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.broker}:aud"
      values   = [local.audience]
    }

    # Without this condition, every grant of every repository that uses the broker could read with this role.
    condition {
      test     = "StringEquals"
      variable = "${local.broker}:sub"
      values   = var.subjects
    }
  }
}

resource "aws_iam_role" "reader" {
  name               = var.role_name
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "read" {
  dynamic "statement" {
    for_each = length(var.secrets) == 0 ? [] : [var.secrets]

    content {
      actions = ["secretsmanager:GetSecretValue"]

      # AWS appends a hyphen and six characters to the name.
      resources = [
        for name in statement.value :
        "arn:${data.aws_partition.here.partition}:secretsmanager:${local.here}:secret:${name}-??????"
      ]
    }
  }

  dynamic "statement" {
    for_each = length(var.parameters) == 0 ? [] : [var.parameters]

    content {
      actions = ["ssm:GetParameters"]
      resources = [
        for name in statement.value :
        "arn:${data.aws_partition.here.partition}:ssm:${local.here}:parameter/${trimprefix(name, "/")}"
      ]
    }
  }

  dynamic "statement" {
    for_each = length(var.parameter_paths) == 0 ? [] : [var.parameter_paths]

    content {
      actions = ["ssm:GetParametersByPath"]
      resources = [
        for path in statement.value :
        "arn:${data.aws_partition.here.partition}:ssm:${local.here}:parameter/${trim(path, "/")}"
      ]
    }
  }

  dynamic "statement" {
    for_each = length(var.kms_keys) == 0 ? [] : [var.kms_keys]

    content {
      actions   = ["kms:Decrypt"]
      resources = statement.value

      # Only through the stores, never directly.
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values = [
          for service in ["secretsmanager", "ssm"] :
          "${service}.${data.aws_region.here.region}.${data.aws_partition.here.dns_suffix}"
        ]
      }
    }
  }
}

resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.reader.id
  policy = data.aws_iam_policy_document.read.json
}

output "role_arn" {
  description = "Goes into the organisation file as role:"
  value       = aws_iam_role.reader.arn
}
