package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// awsSteps reads from Secrets Manager as a command of `run`, before and after its first session ends.
func awsSteps(given settings) steps {
	background := context.Background()
	options := []func(*config.LoadOptions) error{}
	if given.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(given.Profile))
	}
	loaded, err := config.LoadDefaultConfig(background, options...)
	must(err)
	client := secretsmanager.NewFromConfig(loaded)
	read := func(from *secretsmanager.Client, name string) (any, error) {
		answer, err := from.GetSecretValue(background, &secretsmanager.GetSecretValueInput{SecretId: &name})
		if err != nil {
			return nil, err
		}
		return *answer.SecretString, nil
	}
	signedRead := func() (any, error) {
		value, err := read(client, given.Secret)
		if err != nil {
			return nil, err
		}
		used, err := loaded.Credentials.Retrieve(background)
		// A name for a session that is not a secret.
		return map[string]any{"read": value, "session": fmt.Sprintf("%x", sha256.Sum256([]byte(used.AccessKeyID)))}, err
	}
	first, none := loaded.Credentials.Retrieve(background)
	held := client
	if none == nil {
		fmt.Println("printed", first.SecretAccessKey, first.SessionToken)
		// The same session by hand: it is not renewed.
		byHand := loaded.Copy()
		byHand.Credentials = credentials.NewStaticCredentialsProvider(first.AccessKeyID, first.SecretAccessKey, first.SessionToken)
		held = secretsmanager.NewFromConfig(byHand, func(one *secretsmanager.Options) { one.Retryer = aws.NopRetryer{} })
	}
	return steps{
		{"first", signedRead},
		{"held", func() (any, error) { return read(held, given.Secret) }},
		{"foreign", func() (any, error) { return read(client, given.Foreign) }},
		{"later", func() (any, error) {
			if none != nil {
				return nil, none
			}
			time.Sleep(time.Duration(given.SleepSeconds) * time.Second)
			return signedRead()
		}},
		{"over", func() (any, error) { return read(held, given.Secret) }},
	}
}

// awsSessionSteps asks the SDK's own chain for credentials, by the files and variables that Daypass set.
func awsSessionSteps(settings) steps {
	return steps{
		{"session", func() (any, error) {
			loaded, err := config.LoadDefaultConfig(context.Background())
			if err != nil {
				return nil, err
			}
			found, err := loaded.Credentials.Retrieve(context.Background())
			if err != nil {
				return nil, err
			}
			return map[string]any{"key": found.AccessKeyID, "region": loaded.Region, "expires": found.CanExpire}, nil
		}},
	}
}
